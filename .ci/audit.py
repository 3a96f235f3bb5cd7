"""Asks whether a locked package has a known vulnerability (pip-audit), and says what is known and why it stays.

A vulnerability without a fix may stand in pyproject.toml under `[tool.l2c.vulnerabilities]`, as `ID = "reason"`. Exit 1 for
one that stands nowhere; 0 with a line that says so where no advisories can be had: no network, or an index without them.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
NO_ADVISORIES = "pip-audit: no advisories could be had ({}): nothing was audited; run it again with a network"
LONGEST_S = 180


def main() -> int:
    """Audit the lock file; the exit code of the check."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    known: dict[str, str] = project.get("tool", {}).get("l2c", {}).get("vulnerabilities", {})
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    command += ["--format", "json", "--timeout", "15", "-r", str(ROOT / "requirements.lock")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return say(NO_ADVISORIES.format(f"no answer within {LONGEST_S} s"))
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return no_answer(done.stderr)
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        return say(NO_ADVISORIES.format("the package index gives none"))
    return verdict(audited, len(packages), known)


def no_answer(errors: str) -> int:
    """What a run without a report means: no network passes, anything else is a mistake of ours."""
    last = (errors.strip().splitlines() or ["no output"])[-1]
    network = (
        "ConnectionError",
        "ConnectTimeout",
        "ReadTimeout",
        "ProxyError",
        "SSLError",
        "HTTPError",
        "ServiceError",
    )
    if any(word in errors for word in network):
        return say(NO_ADVISORIES.format("no network"))
    return say(f"pip-audit failed: {last[:300]}", 1)


def verdict(audited: list[dict[str, object]], total: int, known: dict[str, str]) -> int:
    """Print every vulnerability, and which of them stay with a reason; 1 when one has none."""
    found: dict[str, str] = {}
    for package in audited:
        for advisory in package["vulns"]:  # type: ignore[attr-defined]
            fixed = ", ".join(advisory["fix_versions"]) or "no fix yet"
            names = {advisory["id"], *advisory.get("aliases", ())}
            name = next((name for name in sorted(names) if name in known), advisory["id"])
            found[name] = f"{package['name']} {package['version']}: {name} ({fixed})"
    for name, text in found.items():
        print(f"pip-audit: {text}" + (f"; stays: {known[name]}" if name in known else ""))
    for name in sorted(set(known) - set(found)):
        print(f"pip-audit: {name} is not found any more; take it out of [tool.l2c.vulnerabilities]")
    unknown = sorted(set(found) - set(known))
    skipped = f", {total - len(audited)} could not be" if len(audited) < total else ""
    return say(f"pip-audit: {len(audited)} packages audited{skipped}, {len(unknown)} open", 1 if unknown else 0)


def say(text: str, code: int = 0) -> int:
    """Print a line; the exit code."""
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
