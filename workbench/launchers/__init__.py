"""Where a command runs. Each launcher is a `workbench.core.protocols.Launcher`, registered in the group ``launcher``."""
