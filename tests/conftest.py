"""Every test has a site of its own on one real server, so tests run in any order and together."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from filelock import FileLock
from hypothesis import settings

from tests.clients import node
from tests.deliveries import Desk
from tests.server import Server, Site

# How long an example takes is up to whatever else the machine does.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("state") / "shared.sqlite") as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a server of the test's own keeps its state."""
    return tmp_path / "state.sqlite"


@pytest.fixture
def site(server: Server) -> Site:
    return server.site()


@pytest.fixture
def api(site: Site) -> Iterator[httpx2.Client]:
    """A client of the test's own site, with full access."""
    with site.api() as client:
        yield client


@pytest.fixture
def mock(site: Site) -> Iterator[httpx2.Client]:
    """What the sandbox recorded of the test's own site."""
    with site.mock() as client:
        yield client


@pytest.fixture
def desk(site: Site) -> Iterator[Desk]:
    """The test's own site, for what is delivered: it has no endpoints yet."""
    desk = Desk(site)
    yield desk
    desk.clear()
    desk.close()


@pytest.fixture
def order_id(api: httpx2.Client) -> str:
    """The id of a fresh order for `__demo_inv__1`."""
    created = api.post("/orders", data={"invoice_id": "__demo_inv__1"})
    assert created.status_code == 200, created.text
    id: str = created.json()["order"]["id"]
    return id


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of a run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def node_packages(run_folder: Path) -> Path:
    """A folder in which Node finds the SDK; the workers of a run install it once."""
    node.skip_without_node()
    folder = run_folder / "node"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            node.install(folder)
    return folder


@pytest.fixture
def mortal() -> list[str]:
    """What starts a program that the permissions of a file hold for, even for root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write every file, and there is no setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
