"""The file servers: what they serve, what they take, how they are reached, and that time does not run over them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aioftp
import httpx
import pytest

from bench.cases import all_cases
from bench.device import FILE_SERVERS, BadSetting, device
from bench.files import FileServer, Images
from bench.run import Run
from bench.verdicts import Inconclusive
from ocppj.transcript import Record, Transcript
from simulator.file_transfer import TransferFailed, download, upload

BOTH = pytest.mark.parametrize("protocol", ["FTP", "HTTP"])


class Served:
    """A server that serves, and what has crossed."""

    def __init__(self, server: FileServer, transcript: Transcript) -> None:
        self.server = server
        self.records = transcript.records
        self.at = server.locations()

    @property
    def latest(self) -> Record:
        return self.records[-1]


@asynccontextmanager
async def served(images: Images | None = None, **settings: str) -> AsyncIterator[Served]:
    transcript = Transcript()
    server = FileServer(images or Images(), {**FILE_SERVERS, **settings}, transcript)
    await server.start()
    try:
        yield Served(server, transcript)
    finally:
        await server.stop()


@BOTH
async def test_time_stands_still_while_a_large_file_crosses(protocol: str) -> None:
    content = hashlib.shake_256(b"large").digest(5_000_000)
    async with served(Images(good=content), FileTransferProtocol=protocol) as it, asyncio.timeout(60):
        assert await download(it.at["FirmwareUrl"]) == content
        await upload(it.at["DiagnosticsUrl"], "large.log", content)
        assert asyncio.get_running_loop().time() == 0
    assert [record["bytes"] for record in it.records] == [len(content)] * 2
    assert {record["sha256"] for record in it.records} == {hashlib.sha256(content).hexdigest()}


@BOTH
async def test_what_is_not_there_and_what_is_refused(protocol: str) -> None:
    async with served(FileTransferProtocol=protocol) as it:
        with pytest.raises(TransferFailed, match=r"404|550"):
            await download(it.at["MissingFirmwareUrl"])
        assert it.latest["failure"] in ("HTTP 404", "FTP 550")
        with pytest.raises(TransferFailed, match=r"403|550"):
            await upload(it.at["RefusedDiagnosticsUrl"], "a.log", b"x")
        assert it.latest["failure"] in ("HTTP 403", "FTP 550")
        assert it.latest["fileName"] == "a.log"


@BOTH
async def test_nobody_is_waited_for_for_ever(protocol: str) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    deaf = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = deaf.sockets[0].getsockname()[1]
    with pytest.raises(TransferFailed, match="no answer in time"):
        await download(f"{protocol.lower()}://127.0.0.1:{port}/x")
    assert asyncio.get_running_loop().time() == pytest.approx(30, abs=1)
    deaf.close()
    await deaf.wait_closed()
    await asyncio.sleep(1)  # until its end has been noticed


async def test_a_form_and_a_body_are_taken() -> None:
    async with served(FileTransferProtocol="HTTP") as it, httpx.AsyncClient(trust_env=False, verify=False) as http:  # noqa: S501
        url = it.at["DiagnosticsUrl"]
        await http.post(url, files={"file": ("form.zip", b"1")})
        assert (it.latest["fileName"], it.latest["bytes"]) == ("form.zip", 1)
        await http.post(f"{url}/body.log", content=b"22")
        assert (it.latest["fileName"], it.latest["bytes"]) == ("body.log", 2)
        assert (await http.post(url, files={"name": b""}, data={"x": "y"})).status_code in (201, 400)
        assert (await http.delete(url)).status_code == 405
        assert (await http.head(it.at["FirmwareUrl"])).status_code == 200


@BOTH
async def test_an_upload_that_breaks_off_is_none(protocol: str) -> None:
    async with served(FileTransferProtocol=protocol) as it:
        with pytest.raises(TransferFailed, match="the line broke"):
            await upload(it.at["DiagnosticsUrl"], "a.log", b"x" * 1000, breaks=True)
    # Of a file that ends too soon over FTP nobody can say so: the data connection ends where the file does (RFC 959).
    assert all("failure" in record or record["bytes"] < 1000 for record in it.records)


async def test_a_device_goes_its_way_through_directories() -> None:
    async with served() as it:
        port = int(it.at["FirmwareUrl"].split(":")[2].split("/")[0])
        async with aioftp.Client.context("127.0.0.1", port, "any", "one") as client:
            await client.change_directory("/diagnostics")
            async with client.upload_stream("here.log") as stream:
                await stream.write(b"1")
            await client.make_directory("/diagnostics/deep")
            async with client.upload_stream("/diagnostics/deep/there.log") as stream:
                await stream.write(b"2")
            with pytest.raises(aioftp.StatusCodeError):
                await client.make_directory("/refused")
        with pytest.raises(TransferFailed, match="550"):
            await upload(it.server.url("/firmware", "FTP"), "good.bin", b"3")
    places = [record["location"].split("/", 3)[3] for record in it.records]
    assert places == ["diagnostics/here.log", "diagnostics/deep/there.log"]


async def test_the_server_says_where_it_is_reached() -> None:
    async with served(AdvertisedHost="files.example", FileTransferProtocol="HTTP") as it:
        assert it.at["DiagnosticsUrl"].startswith("http://files.example:")
    async with served() as it:
        assert it.server.locations("192.0.2.7")["DiagnosticsUrl"].startswith("ftp://192.0.2.7:")
        assert it.server.locations("2001:db8::1")["DiagnosticsUrl"].startswith("ftp://[2001:db8::1]:")


async def test_passive_ports_and_address() -> None:
    async with served(FtpPassivePorts="41000-41999", AdvertisedHost="127.0.0.1") as it:
        port = int(it.at["FirmwareUrl"].split(":")[2].split("/")[0])
        async with aioftp.Client.context("127.0.0.1", port) as client:
            _, info = await client.command("PASV", "227")
            numbers = [int(number) for number in info[-1].split("(")[1].split(")")[0].split(",")]
    assert numbers[:4] == [127, 0, 0, 1]
    assert 41000 <= numbers[4] * 256 + numbers[5] <= 41999


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FileTransferProtocol", "SFTP"),
        ("HttpPort", "x"),
        ("FtpPort", "65536"),
        ("FtpPassivePorts", "5"),
        ("FtpPassivePorts", "9-5"),
        ("FirmwareFile", "/nowhere"),
        ("FirmwareUrl", "good.bin"),
        ("DiagnosticsUrl", "sftp://h/"),
    ],
)
def test_a_setting_that_cannot_be_used(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        device(data={name: value})


def test_a_password_is_in_no_result_and_in_no_complaint(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as complaint:
        device(data={"FirmwareUrl": "x://user:secret@host"})
    assert "secret" not in str(complaint.value)


def test_a_port_that_is_taken_makes_a_case_inconclusive() -> None:
    run = Run(device(data={"HttpPort": "1", "AdvertisedHost": "203.0.113.1"}))
    case = all_cases()["TC_044_1_CS"]

    async def start(self: FileServer, host: str = "") -> None:
        raise OSError("taken")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileServer, "start", start)
        with pytest.raises(Inconclusive, match="no file server: taken"):
            run.begin(case)
    run.close()


async def test_a_server_that_cannot_listen_leaves_nothing_behind() -> None:
    async with served() as it:
        taken = it.at["DiagnosticsUrl"].split(":")[2].split("/")[0]
        other = FileServer(Images(), {**FILE_SERVERS, "FtpPort": taken})
        with pytest.raises(OSError, match="in use"):
            await other.start()
        assert other._runner is None
