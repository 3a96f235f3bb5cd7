"""Start one simulated system: `python -m sandbox s4hana --port 0`."""

from sandbox.core.process import main

if __name__ == "__main__":
    raise SystemExit(main())
