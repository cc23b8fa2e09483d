# A thin front over Meson. Everything that a target needs and the machine lacks is installed by tools/deps.sh (Debian 12 or newer).
#
#   make            builds build/berth                 make test       everything that must pass before a change is merged
#   make run        builds and serves 127.0.0.1:5000   make lint       style, layers, static analysis
#   make install    into PREFIX (/usr/local)           make check-all  test, lint and the longer runs
#   make bench      measures, side by side with peers  make soak       a long run under load, faults and collection
#   make deb        a Debian package in build/         make image      an OCI image of Berth itself in build/
#   make coverage   lines and branches that the tests run, in build/coverage (docs/coverage.md)

BUILD   ?= build
PREFIX  ?= /usr/local
DATA    ?= berth-data
LISTEN  ?= 127.0.0.1:5000
ARGS    ?=

.PHONY: all build-deps run install test unit api lint check-all bench bench-growth bench-instructions soak coverage deb image clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) -n berth | grep -q 'no work to do' || echo "building $(BUILD)/berth"
	@ninja -C $(BUILD) --quiet berth

# Configuring is what needs the packages, so a configured folder costs no look at them.
$(BUILD)/build.ninja: | build-deps
	@meson setup $(BUILD) --prefix $(PREFIX) >/dev/null || { cat $(BUILD)/meson-logs/meson-log.txt; exit 1; }

build-deps:
	@tools/deps.sh build console

run: all
	@exec $(BUILD)/berth serve --data $(DATA) --listen $(LISTEN) $(ARGS)

install: all
	@meson install -C $(BUILD) --no-rebuild

test:
	@tools/test.sh

# Parts of `make test`, for work in progress: make api T=tests/api/test_20_blobs.py
unit:
	@tools/test.sh unit
api:
	@tools/test.sh api -- $(T)

lint:
	@tools/lint.sh

check-all: lint
	@BERTH_LONG=1 tools/test.sh

bench:
	@bench/run.sh

# What a large registry costs more than a small one; instructions a request, compared with the record.
bench-growth:
	@BENCH=growth.py bench/run.sh
bench-instructions:
	@BENCH=instructions.py bench/run.sh

soak:
	@BERTH_LONG=1 tools/test.sh crash powercut race leaks

# Half an hour; parts of it: tools/coverage.sh STAGE...
coverage:
	@tools/coverage.sh

deb: all
	@tools/deps.sh package
	@tools/make-deb.sh

image: all
	@tools/deps.sh package
	@tools/make-image.sh

clean:
	rm -rf build build-asan build-tsan build-clang build-lint build-fuzz build-coverage
