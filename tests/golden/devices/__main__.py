"""Write the golden files of devices anew."""

import shutil

from tests.golden.devices import FOLDER, rendered

for old in FOLDER.iterdir():
    if old.is_dir() and old.name != "__pycache__":
        shutil.rmtree(old)
for name, body in rendered().items():
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
