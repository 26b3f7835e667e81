"""Answers with what WSGI tells an application about its request. The only argument is the port."""

import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def application(environment, start_response):
    # The environment of the server is not part of the request.
    strings = {name: value for name, value in environment.items() if isinstance(value, str)}
    answer = json.dumps(strings).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


make_server("127.0.0.1", int(sys.argv[1]), application, handler_class=QuietHandler).serve_forever()
