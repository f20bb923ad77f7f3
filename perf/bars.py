"""What must hold, and whether it did: every figure beside its bar."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Bars:
    """Figures beside their bars, in the order they were taken."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def at_least(self, what: str, found: float, bar: float) -> None:
        """``found`` must reach ``bar``."""
        self.rows.append((what, f"{found:.2f}", f"≥ {bar:g}", found >= bar))

    def at_most(self, what: str, found: float, bar: float, unit: str) -> None:
        """``found`` must not pass ``bar``."""
        self.rows.append((what, f"{found:,.4g} {unit}", f"≤ {bar:g} {unit}", found <= bar))

    def print(self) -> None:
        """A table of all."""
        print("\n| bar | measured | wanted | |\n|---|---|---|---|")
        for what, found, bar, holds in self.rows:
            print(f"| {what} | {found} | {bar} | {'holds' if holds else '**missed**'} |")
