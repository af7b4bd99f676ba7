# The two commands of the README. Both set everything up on a fresh machine, and start at once after that.
.PHONY: run test check bench clean

run: .venv/.installed
	@packaging/linux/run.sh

# On all cores, a file on one of them; more than eight processes would only wait for one another.
test: .venv/.installed
	@QT_QPA_PLATFORM=offscreen .venv/bin/python -m pytest -n logical --maxprocesses 8 --dist loadfile

check: .venv/.installed
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/.installed
	.venv/bin/nexttick bench replay
	.venv/bin/nexttick bench ui
	.venv/bin/nexttick bench import
	.venv/bin/nexttick bench start

.venv/.installed: requirements.lock packaging/uv.lock pyproject.toml packaging/linux/install.sh
	@packaging/linux/install.sh

clean:
	rm -rf .venv build dist demo.png demo.json
