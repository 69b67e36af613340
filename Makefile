# `make demo` shows the tool at work on the example fleet, up to a machine that boots; `make test` runs every test.

CARGO = cargo
export CARGO_TERM_COLOR ?= auto

.PHONY: bench counts demo test dist lint

demo:
	@tools/setup demo
	$(CARGO) build --release --locked
	@tools/demo

test:
	@tools/setup test
	$(CARGO) test --release --locked

# Each command on large fleets, beside the least that it could take; fails where a promise is missed. See docs/speed.md.
bench:
	$(CARGO) bench --locked --bench scale

# Writes tests/counts.toml anew; where something has risen, WHY='…' must say why.
counts:
	env -u CARGO_INCREMENTAL COUNTS=overwrite $(CARGO) test --release --locked --test ephemeros counts::

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- --deny warnings
	$(CARGO) deny --locked check bans licenses sources

# What a release hands out, in target/dist.
dist:
	@tools/setup test
	$(CARGO) build --release --locked
	@tools/package
