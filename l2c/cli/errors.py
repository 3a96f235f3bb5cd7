"""What an error means to the caller: its lines and its exit code."""

from l2c.errors import AuthError, ConfigError, HubError, LeaseLost, ProtocolError, TransientError

DONE = 0
FINDINGS = 1
WRONG_CALL = 2
NOT_NOW = 3
INTERNAL = 70


def exit_code(error: HubError) -> int:
    """2: fix a file or the call · 3: a system or another process is in the way · 1: the run ended with something to look at."""
    if isinstance(error, ConfigError):
        return WRONG_CALL
    if isinstance(error, (TransientError, AuthError, ProtocolError, LeaseLost)):
        return NOT_NOW
    return FINDINGS


def messages(error: HubError) -> tuple[str, ...]:
    """One line for each mistake, with the system in front where the message does not begin with it."""
    lines = error.mistakes if isinstance(error, ConfigError) else (error.message,)
    prefix = f"{error.system}: " if error.system and not isinstance(error, ConfigError) else ""
    return tuple(line if line.startswith(prefix) else prefix + line for line in lines)


def worst(codes: list[int]) -> int:
    """The exit code of several steps: the highest, since each says more than the ones below."""
    return max(codes, default=DONE)
