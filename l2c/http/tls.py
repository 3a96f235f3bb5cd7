"""Which certificates a system's connection trusts: those of the machine, or those of a file; never none."""

import ssl

from l2c.contract import System
from l2c.errors import ConfigError

_WORDS = {
    9: "is not valid yet; is the clock right?",
    10: "has expired",
    62: "is for another host name",
    64: "is for another IP address",
}
_UNTRUSTED = "is not trusted; a private CA goes into 'ca_file'"


def trusted(system: System) -> bool | str:
    """What requests takes as `verify`: the path of the system's `ca_file`, or True; ConfigError where the file holds none."""
    if system.ca_file is None:
        return True
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=str(system.ca_file))
    except OSError as error:
        reason = "holds no certificate (PEM)" if isinstance(error, ssl.SSLError) else "cannot be read"
        text = f"system '{system.name}': 'ca_file' in config/systems.yaml: '{system.ca_file}' {reason}"
        raise ConfigError(text, system=system.name) from None
    return str(system.ca_file)


def refused_words(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate was refused, as the end of a sentence."""
    return _WORDS.get(error.verify_code, _UNTRUSTED)
