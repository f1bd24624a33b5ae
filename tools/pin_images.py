"""Adds or updates the digests of all images in the compose files and the Dockerfile.

It uses the `docker` client, which must reach the registry. Tags stay unchanged: to use a newer version, change the tag
first. Nothing is written unless all digests are found.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FILES: Final = ("docker-compose.yml", "docker-compose.development.yml", "docker-compose.tls.yml", "Dockerfile")
IMAGE: Final = re.compile(
    r"^(?P<before>\s*image: |FROM )(?P<image>[^\s@$]+:(?!local\b)[^\s@]+)(?:@sha256:[0-9a-f]{64})?(?P<after>[ \t]*.*)$",
    re.MULTILINE,
)
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
INSPECT: Final = ("docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}")


def main() -> int:
    """Pin all images; returns 1 if a digest is not found."""
    texts = {path: path.read_text() for path in (ROOT / name for name in FILES)}
    images = {found["image"] for text in texts.values() for found in IMAGE.finditer(text)}
    try:
        digests = {image: digest_of(image) for image in sorted(images)}
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        sys.stderr.write(f"Nothing was changed: {error}\n")
        return 1
    for path, text in texts.items():
        path.write_text(pinned(text, digests))
    return 0


def digest_of(image: str) -> str:
    """The current digest of a tag, for all platforms.

    Raises:
        ValueError: the client printed no digest.
    """
    output = subprocess.run([*INSPECT, image], check=True, capture_output=True, text=True).stdout.strip()
    if DIGEST.fullmatch(output) is None:
        raise ValueError(f"docker printed no digest of {image}.")
    return output


def pinned(text: str, digests: dict[str, str]) -> str:
    """The text with a digest after every image."""
    return IMAGE.sub(lambda found: f"{found['before']}{found['image']}@{digests[found['image']]}{found['after']}", text)


if __name__ == "__main__":
    sys.exit(main())
