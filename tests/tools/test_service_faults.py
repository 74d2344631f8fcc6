"""Facts about the authority's service, a process of its own, that is killed, has a full disk, loses its database.

Two kiosks send until each upload is answered with 200; whatever happens in between, each upload counts once.
"""

import contextlib
import resource
import threading
import time

import requests
from sqlalchemy import func, select

from tests.tools.intake_files import NOW_S, upload
from tests.tools.postgres import cluster
from tests.tools.service_process import LIMIT_S, Service
from tools.authority import core, intake, store, tables

__all__ = ["cluster"]
COUNT = 30


def send(service, body, web=requests):
    return web.post(service.address + "/v1/uploads", data=body, timeout=LIMIT_S)


@contextlib.contextmanager
def served(folder, url=None):
    core.init(folder, NOW_S, database=url)
    with Service(folder) as own:
        yield own
    store.close(folder)


class Kiosks:
    """Two that send `uploads` to `service`; after the answer number n they call faults[n], while the other goes on."""

    def __init__(self, service, uploads, faults):
        self.service, self.faults, self.answers, self.failed = service, faults, [], 0
        self.lock = threading.Lock()
        threads = [threading.Thread(target=self.send, args=(uploads[part::2],)) for part in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT_S)

    def send(self, uploads):
        with requests.Session() as web:
            for body in uploads:
                while not self.taken(web, body):
                    self.failed += 1
                    time.sleep(0.02)

    def taken(self, web, body):
        try:
            answer = send(self.service, body, web)
        except requests.ConnectionError:
            return False
        if answer.status_code == 503:
            return False
        with self.lock:
            self.answers.append(answer.json()["records"] if answer.status_code == 200 else answer.text)
            fault = self.faults.pop(len(self.answers), lambda: None)
        fault()
        return True


def made(folder, tmp_path):
    given = intake.issue_codes(folder, COUNT, int(time.time()))
    return [
        upload(folder, tmp_path / "u", code, key=bytes([number]) * 32).read_bytes() for number, code in enumerate(given)
    ]


def kept(folder):
    """How many uploads, records and used codes."""
    with store.reading(folder) as database:
        counted = [
            select(func.count()).select_from(tables.uploads),
            select(func.count()).select_from(tables.records),
            select(func.count(tables.codes.c.upload.distinct())),
        ]
        return [database.execute(one).scalar_one() for one in counted]


def check_each_counted_once(folder, kiosks):
    assert kiosks.failed and not kiosks.faults
    assert len(kiosks.answers) == COUNT and set(kiosks.answers) <= {0, 1}, kiosks.answers
    assert kept(folder) == [COUNT] * 3


def test_killed_service_and_full_disk_lose_and_double_nothing_on_sqlite(tmp_path):
    folder = tmp_path / "authority"
    with served(folder) as service:
        uploads = made(folder, tmp_path)
        service.files_may_have(4096)
        answers = {send(service, body).status_code for body in uploads[:4]}
        assert (answers, kept(folder)) == ({503}, [0] * 3)
        service.files_may_have(resource.RLIM_INFINITY)
        check_each_counted_once(folder, Kiosks(service, uploads, {10: service.restart}))


def test_killed_service_and_killed_database_lose_and_double_nothing_on_postgresql(tmp_path, cluster):
    folder = tmp_path / "authority"

    def database_dies():
        cluster.kill()
        cluster.start()

    with served(folder, cluster.new()) as service:
        uploads = made(folder, tmp_path)
        kiosks = Kiosks(service, uploads, {8: service.restart, 18: database_dies})
        check_each_counted_once(folder, kiosks)
