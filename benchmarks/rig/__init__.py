"""The fault rig: workers are killed and systems misbehave while records travel; a checker that knows only the systems counts."""
