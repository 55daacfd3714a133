"""What compliance is told from outside, beside the common settings."""

from pathlib import Path

from kernel.runtime.settings import Port, Settings


class ComplianceSettings(Settings):
    """`four_eyes`: an approval by hand needs two reviewers (a platform of one reviewer turns it off); `platform_url`: where
    published posts are looked at. Personal data is kept here, so master keys are needed."""

    master_keys_file: Path
    http_port: Port = 8104
    rpc_port: Port = 9104
    platform_url: str = "http://127.0.0.1:8110"
    four_eyes: bool = True


def voices_of(settings: Settings) -> int:
    """How many reviewers have to agree to an approval by hand."""
    return 1 if isinstance(settings, ComplianceSettings) and not settings.four_eyes else 2
