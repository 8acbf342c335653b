# Names for what script/ does; `make` alone lists them. ARGS are passed on: make test ARGS='-k refresh'
.DEFAULT_GOAL := help
.PHONY: help server test lint format bench fuzz lock hooks collections sbom compile-hash clean

help:  ## list what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

server:  ## set everything up and serve
	@script/server $(ARGS)

test:  ## all checks, and the suite on SQLite and MariaDB
	@script/test $(ARGS)

lint:  ## the checks alone: ruff, mypy, import contracts
	@script/lint $(ARGS)

format:  ## put the code into form, and mend what ruff can mend
	@script/format $(ARGS)

bench:  ## measure this server beside its peers
	@script/bench $(ARGS)

fuzz:  ## call a server at random; ARGS are seconds
	@script/fuzz $(ARGS)

lock:  ## work out all locked versions again
	@script/lock $(ARGS)

hooks:  ## have git check each commit
	@script/hooks $(ARGS)

collections:  ## write the .http file and the Postman collection in docs/
	@script/collections $(ARGS)

sbom:  ## write sbom.json, what production is made of
	@script/sbom $(ARGS)

compile-hash:  ## compile Argon2 for processors with AVX2
	@script/compile-hash $(ARGS)

clean:  ## delete caches; the database, keys and .venv stay
	@script/clean $(ARGS)
