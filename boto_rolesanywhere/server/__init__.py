"""The local credential endpoint of `serve` and `exec --serve`.

One idea a module: `exchange` (a request and an answer, as values), `guard` (who may ask at all),
`imds` and `container` (the two protocols; pure), `keeper` (credentials kept good in a thread),
`role` (what is served of one role), `app` (routes, over ASGI), `connection` (limits that no client
gets past), `endpoint` (sockets and uvicorn), `token_files`, `notify` (systemd).

Only `connection` and `endpoint` know uvicorn. Nothing here reads a configuration.
"""
