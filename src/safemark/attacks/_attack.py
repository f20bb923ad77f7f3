"""What an attack is: a value made of small functions, and how several become one.

    rewrite   Sample -> Sample                     base64, role_play, …; may await a helper model
    decode    str -> str | None                    of the reply, before it is judged
    search    (Sample, Model, Ask) -> Transcript   pair, crescendo, best_of_n, …
    prepare   (samples, Model) -> Attack           what is made once: universal suffixes, …

Rewrites see the sample before a way of asking renders it, a search the rendered one. The sample
that is judged and stored is always the benchmark's own. Benchmarks, scorers and the store are not
known here.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import msgspec

from safemark.data import Source
from safemark.errors import CallFailed, UsageError
from safemark.models._model import Model
from safemark.models.effort import Stopwatch
from safemark.types import Ask, Attempt, Message, Messages, Reason, Sample, Transcript

T = TypeVar("T")

Rewrite = Callable[[Sample], Awaitable[Sample | None] | Sample | None]
"""The sample to ask instead; None where this one gives the attack nothing to work on."""

Decode = Callable[[str], Awaitable[str | None] | str | None]
"""A reply's text as it reads when decoded; None where there is nothing to decode."""

Search = Callable[[Sample, Model, Ask], Awaitable[Transcript]]
Prepare = Callable[[Sequence[Sample], Model], Awaitable["Attack"]]
Kind = Literal["attack", "perturbation"]


@dataclass(frozen=True, slots=True)
class Helpers:
    """The models that help an attack: one that writes attempts, one that rates them on the way."""

    attacker: Model | None = None
    judge: Model | None = None

    @property
    def models(self) -> tuple[Model, ...]:
        """Those that there are, each once."""
        given = [one for one in (self.attacker, self.judge) if one is not None]
        return tuple({id(one): one for one in given}.values())


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to get a model to do what it was made not to do, or (a perturbation) to slip.

    ``name`` is what the command line says, argument included: ``base64``, ``many_shot:16``.
    ``version`` changes whenever another thing would be sent for the same sample. ``source`` cites
    the method. ``queries`` is how often the target is asked for one sample at most, and
    ``helper_calls`` how often the helpers are. ``needs`` are capabilities of the target beside
    `reply`. ``helped_by`` are the helpers it has, ``wants`` those it must be given by
    ``with_models``. ``settings`` are what it was told or takes by default, for the record. A
    family has ``members``, each an attack of its own; ``data`` are files that it reads. ``covers``
    says of a sample whether the attack is meant for it, where it is not for all.
    """

    name: str
    version: str
    title: str
    source: str = ""
    kind: Kind = "attack"
    rewrite: Rewrite | None = None
    decode: Decode | None = None
    search: Search | None = None
    prepare: Prepare | None = None
    with_argument: Callable[[str], "Attack"] | None = None
    with_models: Callable[[Helpers], "Attack"] | None = None
    wants: frozenset[Literal["attacker", "judge"]] = frozenset()
    needs: tuple[str, ...] = ()
    queries: int = 1
    helper_calls: int = 0
    helped_by: tuple[str, ...] = ()
    members: Callable[[], Sequence["Attack"]] | None = None
    data: Source | None = None
    covers: Callable[[Sample], bool] | None = None
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """What makes two attacks the same: name, versions, and the models that help."""
        if self.name == DIRECT:
            return DIRECT
        return f"{self.name}@{self.version}" + "".join(f" by {one}" for one in self.helped_by)

    @property
    def is_direct(self) -> bool:
        return self.name == DIRECT

    @property
    def wants_argument(self) -> bool:
        """Whether it does nothing until it is told more: which file, which run."""
        does = (self.rewrite, self.search, self.prepare, self.members, self.with_models)
        return not any(does) and not self.is_direct

    async def rewritten(self, sample: Sample) -> Sample:
        """What is asked instead of ``sample``, before a way of asking renders it.

        Raises:
            CallFailed: there is nothing to rewrite in it, or a helper gave nothing.
        """
        if self.rewrite is None:
            return sample
        asked = await value_of(self.rewrite(sample))
        if asked is None:
            raise CallFailed(
                Reason.UNSUPPORTED, f"`{self.name}` finds nothing to rewrite in {sample.id}"
            )
        return asked

    async def read(self, transcript: Transcript) -> Transcript:
        """The transcript with each reply decoded beside itself, where there is something to.

        An attempt whose reply a helper could not decode is absent; its reply stays in the record.

        Raises:
            CallFailed: asking the helper on is of no use.
        """
        if self.decode is None:
            return transcript
        attempts = [await decoded(attempt, self.decode) for attempt in transcript.attempts]
        return msgspec.structs.replace(transcript, attempts=tuple(attempts))


DIRECT = "direct"
"""The attack that changes nothing."""


async def decoded(attempt: Attempt, decode: Decode) -> Attempt:
    """The attempt with its reply decoded beside it; absent where a helper could not.

    Raises:
        CallFailed: asking the helper on is of no use.
    """
    if attempt.reply is None or attempt.decoded is not None:
        return attempt
    try:
        text = await value_of(decode(attempt.reply.text))
    except CallFailed as failure:
        if ends_all(failure):
            raise
        why = f"the reply could not be decoded: {failure.problem}"
        return msgspec.structs.replace(attempt, absent=Reason.ATTACKER_FAILED, why=why)
    if text is None or text == attempt.reply.text:
        return attempt
    return msgspec.structs.replace(attempt, decoded=text)


def as_read(transcript: Transcript) -> Transcript:
    """The transcript as scorers read it: decoded texts in the place of the replies' own."""
    if all(attempt.decoded is None for attempt in transcript.attempts):
        return transcript
    attempts = tuple(
        msgspec.structs.replace(
            attempt, reply=msgspec.structs.replace(attempt.reply, text=attempt.decoded)
        )
        if attempt.decoded is not None and attempt.reply is not None
        else attempt
        for attempt in transcript.attempts
    )
    return msgspec.structs.replace(transcript, attempts=attempts)


def composed(attacks: Sequence[Attack]) -> Attack:
    """Several as one: rewrites from left to right, decoders the other way, a search at the end.

    Raises:
        UsageError: there are two searches, or one that is not the last; or an attack and a
            perturbation stand together.
    """
    if len(attacks) == 1:
        return attacks[0]
    searches = [place for place, one in enumerate(attacks) if one.search is not None]
    if len(searches) > 1 or (searches and searches[0] != len(attacks) - 1):
        names = " and ".join(f"`{attacks[place].name}`" for place in searches)
        raise UsageError(
            f"{names} cannot be followed by anything: a search decides itself what is asked"
            if len(searches) == 1
            else f"{names} each search for what to ask",
            "put rewrites first and at most one search last, for example base64+best_of_n",
        )
    if any(one.is_direct for one in attacks):
        raise UsageError("`direct` changes nothing, so nothing is joined to it", "leave it away")
    last = attacks[-1]
    unprepared = [one for one in attacks if one.prepare is not None]

    async def prepare(samples: Sequence[Sample], model: Model) -> Attack:
        return composed(
            [one if one.prepare is None else await one.prepare(samples, model) for one in attacks]
        )

    def with_models(helpers: Helpers) -> Attack:
        return composed(
            [one if one.with_models is None else one.with_models(helpers) for one in attacks]
        )

    return Attack(
        name="+".join(one.name for one in attacks),
        version="+".join(one.version for one in attacks),
        title=", then ".join(one.title for one in attacks),
        source=" · ".join(dict.fromkeys(one.source for one in attacks if one.source)),
        kind="attack" if any(one.kind == "attack" for one in attacks) else "perturbation",
        rewrite=_one_after_another([one.rewrite for one in attacks if one.rewrite is not None]),
        decode=_back([one.decode for one in attacks if one.decode is not None]),
        search=last.search,
        prepare=prepare if unprepared else None,
        with_models=with_models if any(one.with_models for one in attacks) else None,
        wants=frozenset().union(*(one.wants for one in attacks)),
        needs=tuple(dict.fromkeys(need for one in attacks for need in one.needs)),
        queries=last.queries,
        helper_calls=sum(one.helper_calls for one in attacks),
        helped_by=tuple(dict.fromkeys(who for one in attacks for who in one.helped_by)),
        covers=_all_cover([one.covers for one in attacks if one.covers is not None]),
        settings=_settings(attacks),
    )


READ_BY_REPORTS = ("exchangeable", "shots", "transfer_source", "source_success_rate")
"""Settings that keep their names when attacks are joined; so does ``family``, joined likewise."""


def _settings(attacks: Sequence[Attack]) -> dict[str, str | int | float | bool]:
    joined: dict[str, str | int | float | bool] = {}
    for one in attacks:
        for key, value in one.settings.items():
            joined[key if key in READ_BY_REPORTS else f"{one.name} {key}"] = value
    if any("family" in one.settings for one in attacks):
        joined["family"] = "+".join(str(one.settings.get("family", one.name)) for one in attacks)
    return joined


def _all_cover(covers: Sequence[Callable[[Sample], bool]]) -> Callable[[Sample], bool] | None:
    return (lambda sample: all(one(sample) for one in covers)) if covers else None


def _one_after_another(rewrites: Sequence[Rewrite]) -> Rewrite | None:
    if not rewrites:
        return None

    def rewrite(sample: Sample) -> Awaitable[Sample | None] | Sample | None:
        asked: Sample | None = sample
        for place, one in enumerate(rewrites):
            if asked is None:
                return None
            found = one(asked)
            if inspect.isawaitable(found):
                return _awaited(found, rewrites[place + 1 :])
            asked = found
        return asked

    return rewrite


async def _awaited(begun: Awaitable[Sample | None], rest: Sequence[Rewrite]) -> Sample | None:
    asked = await begun
    for one in rest:
        if asked is None:
            return None
        asked = await value_of(one(asked))
    return asked


async def value_of(found: T | Awaitable[T]) -> T:
    """What a function gave, at once or by and by."""
    return await found if inspect.isawaitable(found) else found


def _back(decoders: Sequence[Decode]) -> Decode | None:
    """What was put on last comes off first; a layer that is not there is passed over."""
    if not decoders:
        return None

    async def decode(text: str) -> str | None:
        read: str | None = None
        for one in reversed(decoders):
            found = await value_of(one(text if read is None else read))
            read = found if found is not None else read
        return read

    return decode


def last_turn(sample: Sample) -> str | None:
    """What the user says last, None where nobody says anything."""
    return next((turn.content for turn in reversed(sample.messages) if turn.role == "user"), None)


def rewriting(change: Callable[[str], str]) -> Rewrite:
    """A rewrite of what the user says last; everything else stays."""

    def rewrite(sample: Sample) -> Sample | None:
        return with_last_turn(sample, change)

    return rewrite


def with_last_turn(sample: Sample, change: Callable[[str], str]) -> Sample | None:
    """The sample with what the user says last changed; None where the user says nothing."""
    for place in range(len(sample.messages) - 1, -1, -1):
        turn = sample.messages[place]
        if turn.role == "user":
            changed = Message("user", change(turn.content))
            messages = (*sample.messages[:place], changed, *sample.messages[place + 1 :])
            return msgspec.structs.replace(sample, messages=messages)
    return None


async def asked_once(model: Model, messages: Messages, ask: Ask) -> Attempt:
    """One attempt at the target: its reply, or the reason why there is none.

    A conversation that ends with the assistant's turn has its answer begun.

    Raises:
        CallFailed: asking on is of no use (a wrong key, a spent budget).
    """
    watch = Stopwatch()
    sent = messages
    if messages and messages[-1].role == "assistant":
        ask = msgspec.structs.replace(ask, prefill=messages[-1].content)
        messages = messages[:-1]
    try:
        reply = await model.reply(messages, ask)
    except CallFailed as failure:
        if ends_all(failure):
            raise
        why = f"{failure.problem}; {failure.hint}" if failure.hint else failure.problem
        return Attempt(sent, absent=failure.reason, why=why, seconds=watch.seconds)
    return Attempt(sent, reply, seconds=watch.seconds)


def ends_all(failure: CallFailed) -> bool:
    """Whether asking on is of no use: a wrong key, an unknown model, a spent budget."""
    reason = failure.reason
    return failure.ending is not None or reason.opens_circuit or reason is Reason.NOT_ASKED


def named(attack: Attack, argument: str) -> Attack:
    """The attack under its name with its argument."""
    return replace(attack, name=f"{attack.name}:{argument}")
