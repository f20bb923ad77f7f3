from pathlib import Path

from safemark.models.local.identity import identity


def digest(folder: Path, template: str | None = None, adapter: Path | None = None) -> str:
    return identity(folder, template=template, adapter=adapter, settings={}).digest


def test_everything_that_changes_answers_changes_the_digest(tmp_path: Path) -> None:
    model, adapter = tmp_path / "model", tmp_path / "adapter"
    for folder in (model, adapter):
        folder.mkdir()
    names = (
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer.model",
        "spiece.model",
        "qwen.tiktoken",
    )
    digests = [digest(model)]
    for name in names:
        (model / name).write_text("{}")
        digests.append(digest(model))
    digests += [digest(model, "{{ messages }}"), digest(model, adapter=adapter)]
    (adapter / "adapter_model.safetensors").write_text("1")
    digests.append(digest(model, adapter=adapter))

    assert len(set(digests)) == len(digests)


def test_what_changes_no_answer_changes_no_digest(tmp_path: Path) -> None:
    before = digest(tmp_path)
    (tmp_path / "README.md").write_text("a model")

    assert digest(tmp_path) == before


def test_two_shards_that_change_places_are_another_model(tmp_path: Path) -> None:
    one, two = tmp_path / "model-1.safetensors", tmp_path / "model-2.safetensors"
    one.write_text("1")
    two.write_text("2")
    before = digest(tmp_path)
    one.write_text("2")
    two.write_text("1")

    assert digest(tmp_path) != before
