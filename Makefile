# `make demo` shows the tool at work on the example fleet, up to a machine that boots; `make test` runs every test.

CARGO = cargo
export CARGO_TERM_COLOR ?= auto

.PHONY: demo test dist lint

demo:
	@tools/setup demo
	$(CARGO) build --release --locked
	@tools/demo

test:
	@tools/setup test
	$(CARGO) test --release --locked

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- --deny warnings
	$(CARGO) deny --locked check bans licenses sources

# What a release hands out, in target/dist.
dist:
	@tools/setup test
	$(CARGO) build --release --locked
	@tools/package
