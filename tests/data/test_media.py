"""Files from whatever a user has, and the parts of a message they become."""

from __future__ import annotations

import base64
import io
import struct
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionUserMessageParam
from pydantic import TypeAdapter

import workbench as wb
from workbench.core.media import Media, mime_of, of_bytes, of_data_url, size_of, suffix_of
from workbench.data.media import content_part, content_parts, media, wav
from workbench.errors import DataError

from ..support.openai_types import read_through

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
TONE = (np.sin(np.arange(800) / 8).astype(np.float32), 16000)


def test_a_path_is_read_and_recognised_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"  # a wrong name does not mislead
    path.write_bytes(PNG)
    found = media(path)
    assert (found.kind, found.mime, found.data, found.name) == ("image", "image/png", PNG, "picture.jpg")
    assert media(str(path)) == found == media(path.as_uri())


def test_the_forms_of_one_picture_are_the_same_picture(tmp_path: Path) -> None:
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert {media(v).data for v in (PNG, bytearray(PNG), memoryview(PNG), io.BytesIO(PNG), url)} == {PNG}
    assert media(PNG).data_url == url


def test_an_address_is_not_fetched() -> None:
    found = media("https://example.com/a%20cat.webp?size=1")
    assert (found.kind, found.mime, found.data, found.name) == ("image", "image/webp", b"", "a cat.webp")
    assert found.address == found.url
    assert media("https://example.com/sound", "audio").kind == "audio"
    assert media("https://example.com/thing").kind == "image"


def test_pil_images_and_matplotlib_figures_become_png() -> None:
    from matplotlib.figure import Figure
    from PIL import Image

    for mode in ("RGB", "RGBA", "L", "P", "CMYK", "1", "F", "LA", "I"):
        shown = Image.open(io.BytesIO(media(Image.new(mode, (3, 2))).data))
        assert (shown.format, shown.size) == ("PNG", (3, 2))
    figure = Figure(figsize=(2, 1))
    axes = figure.subplots()
    axes.plot([1, 2])
    assert media(figure).mime == media(axes).mime == "image/png"


@pytest.mark.parametrize(("form", "size"), [("PNG", (7, 5)), ("JPEG", (7, 5)), ("GIF", None)])
def test_a_pictures_size_is_read_from_its_head(form: str, size: Any) -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (7, 5)).save(out, form)
    assert size_of(out.getvalue()) == size
    assert size_of(out.getvalue()[:10]) is None


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 2), (4, 5, 3), (4, 5, 4)])
def test_arrays_become_the_picture_they_hold(shape: tuple[int, ...]) -> None:
    from PIL import Image

    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    shown = np.asarray(Image.open(io.BytesIO(media(array).data)))
    assert np.array_equal(shown, array.reshape(4, 5) if shape[2:] in ((), (1,)) else array)
    assert media(array.astype(float) / 255).data == media(array).data


@pytest.mark.parametrize(
    "value", [TONE, TONE[::-1], (TONE[0].tolist(), 16000), ((TONE[0] * 32767).astype(np.int16), 16000), (TONE[0], np.int64(16000))]
)
def test_samples_and_their_rate_become_a_wav_file(value: Any) -> None:
    found = media(value)
    with wave.open(io.BytesIO(found.data)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getnframes()) == (1, 16000, 800)
        samples = np.frombuffer(sound.readframes(800), np.int16)
    assert np.abs(samples - (TONE[0] * 32767)).max() <= 1


def test_two_channels_stay_two_whichever_way_they_lie() -> None:
    both = np.stack([TONE[0], -TONE[0]])
    assert media((both, 8000)) == media((both.T, 8000))
    with wave.open(io.BytesIO(media((both, 8000)).data)) as sound:
        assert (sound.getnchannels(), sound.getnframes()) == (2, 800)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("no/such.png", "cannot be read"),
        ("x" * 5000, "cannot be read"),
        ("a\0b", "cannot be read"),
        ("data:image/png;base64,!!!", "cannot be read"),
        (b"", "is empty"),
        (42, "no file that a model can read"),
        (None, "no file that a model can read"),
        ((TONE[0], 0), "samples a second"),
        (([], 16000), "have to be numbers"),
        (np.zeros((2, 3, 4, 5)), "no picture"),
    ],
)
def test_what_is_no_file_is_refused_with_a_reason(value: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        media(value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="directory"):
        media(tmp_path)


PARTS = [
    (PNG, "image_url"),
    ("https://example.com/cat.png", "image_url"),
    (TONE, "input_audio"),
    (b"ID3" + bytes(10), "input_audio"),
    (b"%PDF-1.7 ...", "file"),
    (Media("file", "text/plain", b"hello", "", "note.txt"), "text"),
]


@pytest.mark.parametrize(("value", "kind"), PARTS)
def test_parts_are_what_the_openai_package_types(value: Any, kind: str) -> None:
    parts = content_parts("Look:", [value])
    assert [p["type"] for p in parts] == ["text", kind]
    turn = {"role": "user", "content": list(parts)}
    assert read_through(TypeAdapter(ChatCompletionUserMessageParam).validate_python(turn)) == turn


def test_parts_of_a_sound_name_its_format_and_a_video_is_an_address() -> None:
    assert content_part(media(TONE))["input_audio"]["format"] == "wav"
    assert content_part(of_bytes(b"ID3" + bytes(9)))["input_audio"]["format"] == "mp3"
    assert content_part(media("https://example.com/a.mp4"))["video_url"]["url"].endswith("a.mp4")
    assert content_parts("", PNG)[0]["type"] == "image_url"
    with pytest.raises(DataError, match="cannot be sent as an address"):
        content_part(media("https://example.com/a.pdf"))


def test_media_can_be_called_by_the_packages_name() -> None:
    assert wb.data.media(PNG).mime == wb.data.media.media(PNG).mime == "image/png"


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_bytes_have_a_mime_type_and_a_suffix(data: bytes, name: str) -> None:
    mime = mime_of(data, name)
    assert mime.count("/") == 1
    assert suffix_of(mime)


@given(st.binary(min_size=1, max_size=300))
def test_a_data_address_gives_back_its_bytes(data: bytes) -> None:
    assert of_data_url(of_bytes(data).data_url).data == data


@given(st.binary(max_size=400).filter(lambda b: len(b) % 2 == 0), st.integers(8000, 48000))
def test_a_wav_head_describes_its_samples(samples: bytes, rate: int) -> None:
    whole = wav(samples, 1, rate)
    assert whole[44:] == samples
    assert struct.unpack_from("<I", whole, 24)[0] == rate
    with wave.open(io.BytesIO(whole)) as sound:
        assert sound.readframes(sound.getnframes()) == samples
