"""Owns an authority, its lists and a certified kiosk in a folder, for tests of the host's programs. Asserts nothing."""

from tools import lists, signing, wire
from tools import rule as rules
from tools.authority import core, keyring
from tools.files import write_whole
from tools.kiosk import identity
from tools.kiosk.folder import KioskFolder

NOW_S = 1_700_000_000


class World:
    """authority/ and kiosk/ below `path`, at NOW_S."""

    def __init__(self, path, region=0, now_s=NOW_S):
        self.path, self.region = path, region
        self.authority = path / "authority"
        core.init(self.authority, now_s)
        self.root = keyring.root_public(self.authority)
        self.recovery = keyring.recovery_public(self.authority)
        self.kiosk = self.new_kiosk("kiosk", now_s)

    def new_kiosk(self, name, now_s=NOW_S, proxy=False):
        folder = KioskFolder(self.path / name)
        public = signing.load_public(identity.create(folder.path, self.root, recovery=self.recovery))
        _, vouched = core.certify_kiosk(self.authority, public, self.region, now_s, proxy=proxy)
        write_whole(folder.path / "kiosk.cert", vouched)
        return folder

    def certified(self, folder, now_s):
        """A certificate for a kiosk that has a key."""
        public = signing.load_public(folder.path / "kiosk.pub")
        return core.certify_kiosk(self.authority, public, self.region, now_s)[1]

    def list_file(self, records, serial=3, issued_s=NOW_S, base=0, revoked=(), region=None, kind=1):
        """The bytes of a list signed by the authority's list key."""
        where = self.region if region is None else region
        terms = lists.Terms(where, serial, issued_s, 1, wire.pack_rule(rules.DEFAULT), base, revoked, kind=kind)
        return lists.build(terms, records, *keyring.list_key(keyring.holders(self.authority)))

    def written(self, name, data):
        path = self.path / name
        path.write_bytes(data)
        return path
