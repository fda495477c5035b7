"""An SMTP server that requires STARTTLS (or speaks TLS, on its second port) and a password. It writes each message, parsed, as a line of JSON.

    smtp_server.py CERTIFICATE KEY RECEIVED
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"checkup", b"hunter2 of the tests"


class Received:
    def __init__(self, path):
        self.path = path

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)

        def body(kind):
            part = message.get_body((kind,))
            return part and part.get_content().replace("\r\n", "\n")

        parts = list(message.walk())
        line = {
            "user": session.auth_data and session.auth_data.login.decode(),
            "tls": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            "to": envelope.rcpt_tos,
            "headers": dict(message.items()),
            "text": body("plain"),
            "html": body("html"),
            "defects": [repr(defect) for part in parts for defect in part.defects]
            + [repr(defect) for part in parts for header in part.values() for defect in header.defects],
        }
        with open(self.path, "a") as file:
            print(json.dumps(line), file=file)
        return "250 queued"


def authenticate(server, session, envelope, mechanism, login):
    return AuthResult(success=(login.login, login.password) == (USER, PASSWORD), handled=False, auth_data=login)


async def main(certificate, key, received):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    options = {"authenticator": authenticate, "auth_required": True, "hostname": "localhost"}

    def starttls():
        return SMTP(Received(received), tls_context=context, require_starttls=True, **options)

    def tls():
        return SMTP(Received(received), auth_require_tls=False, **options)

    loop = asyncio.get_running_loop()
    plain = await loop.create_server(starttls, "localhost", 0, family=2)
    wrapped = await loop.create_server(tls, "localhost", 0, ssl=context, family=2)
    print("ports", *(server.sockets[0].getsockname()[1] for server in (plain, wrapped)), flush=True)
    await asyncio.gather(plain.serve_forever(), wrapped.serve_forever())


asyncio.run(main(*sys.argv[1:]))
