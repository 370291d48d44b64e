"""A session's life: when it is renewed, who waits, who shares it, what is kept on failure."""
