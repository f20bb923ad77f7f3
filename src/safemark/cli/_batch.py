"""``--batch``: hand in, look, and say what is waited for."""

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from safemark.cli._output import harmless, say

if TYPE_CHECKING:
    from safemark.api import Settings
    from safemark.batching import Advance
    from safemark.plan import Request
    from safemark.store import Store


@dataclass(frozen=True, slots=True)
class ByBatch:
    """How a run by batch is gone about: ``wait`` for the answers, or look once."""

    wait: bool

    def waits_for(
        self, name: str, request: "Request", settings: "Settings", store: "Store"
    ) -> dict[str, Any] | None:
        """What the run still waits for, said and given; None when its answers are there.

        Raises:
            SafemarkError: it cannot be asked by batch, or the provider refuses.
        """
        found = asyncio.run(self._advance(name, request, settings, store))
        if found.is_ready:
            return None
        say(
            f"\nwaiting for {found.waiting:,} answers to run {found.run}."
            " Repeat the command to look again, with --wait to wait for them."
        )
        return {
            "run": found.run,
            "status": "waiting",
            "batches": [asdict(batch) for batch in found.batches],
        }

    async def _advance(
        self, name: str, request: "Request", settings: "Settings", store: "Store"
    ) -> "Advance":
        from safemark.api import advance_batch, stopping_on_signals

        stop = asyncio.Event()
        with stopping_on_signals(stop, lambda: say("\nstopping …")):
            return await advance_batch(
                name,
                request,
                settings,
                store,
                stop,
                wait=self.wait,
                tell=lambda message: say(harmless(message)),
            )
