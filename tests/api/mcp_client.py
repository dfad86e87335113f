"""A real client of the Model Context Protocol (PyPI: mcp 2) that knows nothing but an address.

usage: mcp_client.py ADDRESS [TOKEN]

Finds the sign-in, signs in as Alice, and prints one JSON object: the tools, what the tool said, and the
scopes that were asked for. With TOKEN it begins with that token.
"""

import asyncio
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

REDIRECT_URI = "http://127.0.0.1:33418/"


class Storage:
    """The client is registered before: Entra registers none by itself."""

    def __init__(self, token):
        self.tokens = OAuthToken(access_token=token, expires_in=3600) if token else None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return OAuthClientInformationFull(
            client_id="bbbbbbbb-0000-0000-0000-000000000001",
            redirect_uris=[REDIRECT_URI],
            token_endpoint_auth_method="none",
        )

    async def set_client_info(self, _):
        sys.exit("the client registers itself")


class Browser(urllib.request.HTTPRedirectHandler):
    """Picks Alice on the sign-in page, and keeps where it ends."""

    def __init__(self):
        self.asked = []
        self.end = None

    def redirect_request(self, *_):
        return None

    async def open(self, address):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
        self.asked += query["scope"]
        try:
            urllib.request.build_opener(self).open(address, b"user=alice")
        except urllib.error.HTTPError as redirect:
            self.end = urllib.parse.parse_qs(urllib.parse.urlsplit(redirect.headers["Location"]).query)

    async def wait(self):
        iss = self.end.get("iss", [None])[0]
        return AuthorizationCodeResult(code=self.end["code"][0], state=self.end["state"][0], iss=iss)


async def main(address, token=None):
    browser = Browser()
    metadata = OAuthClientMetadata(redirect_uris=[REDIRECT_URI], grant_types=["authorization_code"])
    auth = OAuthClientProvider(address, metadata, Storage(token), browser.open, browser.wait)
    async with httpx2.AsyncClient(auth=auth, trust_env=False, timeout=20) as http:
        async with Client(streamable_http_client(address, http_client=http)) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            said = await client.call_tool(tools[0], {})
    print(json.dumps({"tools": tools, "said": said.content[0].text, "asked": browser.asked}))


asyncio.run(main(*sys.argv[1:]))
