"""`python -m cli up|demo|down|...`"""

from cli.main import main

main()
