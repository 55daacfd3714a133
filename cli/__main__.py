"""`dandelion up|demo|down|...`"""

import gc

# Before the imports: what they make stays, and the collector would look for garbage in it at every 700 objects.
gc.set_threshold(50_000, 20, 20)

from cli.main import main  # noqa: E402

main()
