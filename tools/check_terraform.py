"""Check infra/terraform: formatting, validity and the tests of every environment, against a mocked AWS.

`python -m tools.check_terraform` needs the `terraform` program and the AWS provider. Where the provider lies is a
setting: `TERRAFORM_PLUGIN_DIR` names a folder of unpacked providers (`registry.terraform.io/hashicorp/aws/…`), and
without it an ordinary `terraform init` fetches it. What cannot be run is said by name and is not a failure. Nothing
is written into the project: the checks run in a copy.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent / "infra" / "terraform"
INIT_SECONDS: Final = 300
"""How long fetching the provider may take."""
STEP_SECONDS: Final = 600


class StepFailed(Exception):
    """A step of the check did not hold; the text is what terraform said."""


def run(arguments: list[str], folder: Path, environ: Mapping[str, str], seconds: int = STEP_SECONDS) -> str:
    """What `terraform ARGUMENTS` prints in `folder`.

    Raises:
        StepFailed: it ended with an error, or not within `seconds`.
    """
    command = ["terraform", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=dict(environ), capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise StepFailed(f"{' '.join(command)}: no end after {seconds} s") from expired
    if done.returncode != 0:
        raise StepFailed(f"{' '.join(command)} in {folder.name}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _ignore_state(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in {".terraform", ".terraform.lock.hcl"} or name.endswith(".tfvars")}


def check(root: Path, environ: Mapping[str, str]) -> list[str]:
    """Run every check; what could not be run, as sentences.

    Raises:
        StepFailed: something does not hold.
    """
    if shutil.which("terraform", path=environ.get("PATH")) is None:
        return ["NOT RUN: terraform (the program is not on this machine)"]
    plain = {name: value for name, value in environ.items() if not name.startswith("TF_")}
    plain |= {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    run(["fmt", "-check", "-recursive", "-diff", "-no-color"], root, plain)
    sys.stdout.write("terraform fmt: formatted\n")
    with tempfile.TemporaryDirectory(prefix="tandem-terraform-") as scratch:
        copy = Path(scratch) / "terraform"
        shutil.copytree(root, copy, ignore=_ignore_state)
        for environment in sorted(path.parent for path in (copy / "environments").glob("*/main.tf")):
            missing = _check_environment(environment, plain)
            if missing is not None:
                return [missing]
    return []


def _check_environment(folder: Path, environ: Mapping[str, str]) -> str | None:
    plugins = environ.get("TERRAFORM_PLUGIN_DIR")
    init = ["init", "-backend=false", "-input=false", "-no-color", *([f"-plugin-dir={plugins}"] if plugins else [])]
    try:
        run(init, folder, environ, INIT_SECONDS)
    except StepFailed as failed:
        if plugins:  # a folder was promised
            raise
        return f"NOT RUN: terraform validate and test (the AWS provider cannot be had)\n{failed}"
    run(["validate", "-no-color"], folder, environ)
    sys.stdout.write(f"terraform validate {folder.name}: valid\n")
    last = run(["test", "-no-color"], folder, environ).strip().splitlines()[-1]
    sys.stdout.write(f"terraform test {folder.name}: {last}\n")
    return None


def main() -> int:
    """0 when everything that could be run holds."""
    try:
        not_run = check(ROOT, os.environ)
    except StepFailed as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    for sentence in not_run:
        sys.stdout.write(f"{sentence}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
