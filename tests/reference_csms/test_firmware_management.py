"""How far a Charge Point is with its firmware and its diagnostics: 4.4, 4.5."""

from tests.reference_csms.scene import charge_point, furnished, running


async def test_what_was_told_last_is_known() -> None:
    store = furnished()
    async with running(store) as central_system, charge_point(central_system) as it:
        known = store.charge_points["CP-1"]
        assert (known.firmware_status, known.diagnostics_status) == (None, None)
        for status in ("Downloading", "Downloaded"):
            assert await it.call("FirmwareStatusNotification", {"status": status}) == {}
        assert await it.call("DiagnosticsStatusNotification", {"status": "Uploading"}) == {}
        assert (known.firmware_status, known.diagnostics_status) == ("Downloaded", "Uploading")
