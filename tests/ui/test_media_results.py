"""What a model spoke and drew, in JupyterLab: it plays, it shows, it fits, and it is there when the notebook is opened again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SERVER = """
import base64, numpy as np, workbench as wb
from scripted_http import Reply, Scripted
tone = (np.sin(np.arange(36000) * np.linspace(.05, .12, 36000)) * .3, 24000)
def picture(k):
    shades = np.stack([np.mgrid[0:1:600j, 0:1:800j][0], np.mgrid[0:1:600j, 0:1:800j][1], np.full((600, 800), k / 4)], -1)
    return base64.b64encode(wb.data.media(shades).data).decode()
def answer(asked):
    if asked.path.endswith('speech'):
        return Reply(body=wb.data.media(tone).data, mime='audio/wav')
    return Reply({'data': [{'b64_json': picture(k)} for k in range(asked.json.get('n', 1))]})
server = Scripted(answer)
tts, draw = (wb.OnlineModule('m', url=server.url, type=t, skip_auth=True) for t in ('tts', 'sd'))
"""
OF_AUDIO = """async cell => {
  const audio = cell.querySelector('audio');
  if (audio.readyState < 1) await new Promise(done => audio.addEventListener('loadedmetadata', done, { once: true }));
  return { duration: audio.duration, controls: audio.controls, width: audio.getBoundingClientRect().width };
}"""
OF_IMAGES = """async cell => {
  const images = [...cell.querySelectorAll('.jp-OutputArea-output img')];
  await Promise.all(images.map(i => i.decode()));
  const edge = cell.getBoundingClientRect().right;
  return images.map(i => {
    const box = i.getBoundingClientRect();
    const shape = i.naturalWidth / i.naturalHeight;
    return { natural: i.naturalWidth, inside: box.right <= edge + 1, whole: Math.abs(box.width / box.height - shape) < 0.02 };
  });
}"""


def test_sounds_play_and_pictures_show(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(SERVER, "tts('Good morning!')", "draw('a cat')", "draw('a cat', n=4)", "print(draw('a cat').paths[0].exists())")
    notebook.run(0)
    for cell in (1, 2, 3):
        notebook.run(cell)
    sound = notebook.cell(1).evaluate(OF_AUDIO)
    assert abs(sound["duration"] - 1.5) < 0.05
    assert sound["controls"]
    assert sound["width"] > 150
    assert notebook.cell(2).evaluate(OF_IMAGES) == [{"natural": 800, "inside": True, "whole": True}]
    assert notebook.cell(3).evaluate(OF_IMAGES) == [{"natural": 800, "inside": True, "whole": True}] * 4
    assert notebook.run(4).strip() == "True"
    notebook.shot("media-sound", notebook.cell(1))
    notebook.cell(3).scroll_into_view_if_needed()
    notebook.shot("media-pictures")
