"""The local credential endpoint of `serve` and `exec --serve`.

`exchange` has a request and an answer as values; `app` leads from the one to the other past the
guard; `container` and `imds` are the two protocols (pure); `role` is what is served of one role;
`endpoint` is one connection, and alone knows httptools; `listening` has the socket and the event
loop; `token_files` and `notify` (systemd) are for the start, `signals` for the end. Nothing
here reads a configuration.
"""
