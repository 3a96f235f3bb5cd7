"""Engine of the Lead-to-Cash Hub."""
