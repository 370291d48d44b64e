"""One call: sign it, send it, read the answer, explain a refusal."""
