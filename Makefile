# manifesto: build, test, install. `make help` lists the targets.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
V ?= 0
SAN ?=
WERROR ?= 0
FUZZ_SECONDS ?= 60
FUZZ ?=
TEST_TIMEOUT ?= 300
MODULES ?= base json crypto store tuf net keys record condition oci trust policy publish ops tufcli
VERSION := 0.1.0
# Changes only when programs that are linked with the library would not run with the new one.
SONAME := libmanifesto.so.1
ifeq ($(origin CC),default)
CC := gcc
endif
JOBS := $(shell nproc 2>/dev/null || echo 2)
# Several goals (`make clean all`) are made in the given order.
ifeq ($(MAKELEVEL)$(word 2,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(JOBS)
endif
MAKEFLAGS += --no-print-directory

, := ,
ifneq ($(SAN),)
O := $(BUILD)/san-$(subst $(,),-,$(SAN))
else
O := $(BUILD)
endif
Q := $(if $(filter 1,$(V)),,@)

# libcrypto first: the dynamic linker looks for its thousands of symbols in this order.
PKGS := libcrypto jansson libsodium
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wstrict-prototypes \
	-Wmissing-prototypes -Wundef -Wvla -Wformat=2 -Wwrite-strings -Wpointer-arith -Wnull-dereference
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection
# Debian 12's clang 14 hides the zero-init flag behind another one: probe on a non-empty unit.
ifeq ($(shell printf 'int f(int);int f(int a){return a;}' | $(CC) -ftrivial-auto-var-init=zero -x c -c -o /dev/null - 2>/dev/null && echo y),y)
HARDEN += -ftrivial-auto-var-init=zero
endif
OPT := -O2
ifeq ($(SAN),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
else
OPT := -O1 -fno-omit-frame-pointer
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -DMF_SANITIZED
# With the sanitizers' checks, gcc misjudges lengths.
WARN += $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
endif
ifeq ($(WERROR),1)
WARN += -Werror
endif
# Loaded only when they are used: their headers alone.
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) libcurl p11-kit-1 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CPPFLAGS_ALL := -D_GNU_SOURCE -DMF_VERSION='"$(VERSION)"' -Isrc -Iinclude $(CPPFLAGS)
# The folder of the build is in no file that it makes.
CFLAGS_ALL := -std=c17 $(OPT) -g -ffile-prefix-map=$(CURDIR)=. -fPIC -fvisibility=hidden $(WARN) $(HARDEN) $(SANFLAGS) \
	$(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(SANFLAGS) $(LDFLAGS)
LIBS := $(PKG_LIBS) -lpthread

LIB_SRC := $(sort $(filter-out src/tufcli/main.c,$(foreach m,$(MODULES),$(wildcard src/$(m)/*.c))))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o)
CLI_SRC := $(sort $(wildcard src/cli/*.c))
CLI_OBJ := $(CLI_SRC:%.c=$(O)/%.o)
TUF_SRC := src/tufcli/main.c
TUF_OBJ := $(TUF_SRC:%.c=$(O)/%.o)
# With only some of the modules, only the static library can be made.
PROGRAM := $(if $(filter ops,$(MODULES)),$(O)/manifesto $(O)/manifesto-tuf $(O)/$(SONAME))
UNIT_SRC := $(sort $(foreach m,$(MODULES),$(wildcard tests/unit/$(m)/test_*.c)))
UNIT_BIN := $(UNIT_SRC:%.c=$(O)/%)
FUZZ_SRC := $(sort $(foreach m,$(MODULES),$(wildcard tests/fuzz/$(m)/fuzz_$(or $(FUZZ),*).c)))
FUZZ_BIN := $(FUZZ_SRC:%.c=$(O)/%.fuzzer)
REPLAY_BIN := $(FUZZ_SRC:%.c=$(O)/%)
EXAMPLE_SRC := $(sort $(wildcard docs/examples/*.c))
EXAMPLE_BIN := $(EXAMPLE_SRC:%.c=$(O)/%)
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
BENCH_BIN := $(BENCH_SRC:%.c=$(O)/%)
PYTHON = $(shell sh tests/support/python.sh)
SHELL_TESTS := $(sort $(wildcard tests/integration/*.sh) $(wildcard tests/cli/*.sh))
ALL_SRC := $(LIB_SRC) $(CLI_SRC) $(TUF_SRC) $(UNIT_SRC) $(FUZZ_SRC) $(EXAMPLE_SRC) $(BENCH_SRC) $(wildcard tests/fuzz/replay.c)
ALL_HDR := $(wildcard include/manifesto/*.h src/*/*.h tests/unit/*/*.h tests/support/*.h)

.PHONY: all
all: $(O)/libmanifesto.a $(PROGRAM) ## build the programs and the library

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18
	@echo 'Variables: BUILD PREFIX DESTDIR CC CFLAGS WERROR=1 V=1 SAN=address,undefined MODULES'
	@echo '           TESTS="FILE..." (for check) RELEASES="12 13" (for chroots) FUZZ=NAME FUZZ_SECONDS=60 (for fuzz)'

# Rebuild everything when flags change.
$(O)/flags: FORCE
	@mkdir -p $(O)
	@echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' | cmp -s - $@ || \
		echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' > $@
# Rebuild the library when a source file is added or removed.
$(O)/members: FORCE
	@mkdir -p $(O)
	@echo '$(LIB_SRC)' | cmp -s - $@ || echo '$(LIB_SRC)' > $@
.PHONY: FORCE

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(O)/libmanifesto.a: $(LIB_OBJ) $(O)/members
	$(if $(Q),@echo '  AR      $@')
	$(Q)rm -f $@ && ar rcsD $@ $(LIB_OBJ)

# A sanitizer's own functions are in the program.
$(O)/$(SONAME): $(LIB_OBJ) $(O)/members src/libmanifesto.map
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) -shared $(filter-out -pie,$(LDFLAGS_ALL)) $(if $(SAN),,-Wl$(,)-z$(,)defs) -Wl,-soname,$(SONAME) \
		-Wl,--version-script=src/libmanifesto.map -o $@ $(LIB_OBJ) $(LIBS)

$(O)/manifesto: $(CLI_OBJ) $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# For tests: its roles are divided after a few records.
FEW := $(O)/tests/support/manifesto-few
$(FEW): $(CLI_OBJ) $(O)/tests/support/few.o $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(O)/manifesto-tuf: $(TUF_OBJ) $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(UNIT_BIN): $(O)/%: $(O)/%.o $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka

$(FUZZ_BIN): $(O)/%.fuzzer: $(O)/%.o $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$(REPLAY_BIN): $(O)/%: $(O)/%.o $(O)/tests/fuzz/replay.o $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(EXAMPLE_BIN) $(BENCH_BIN): $(O)/%: $(O)/%.o $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

-include $(wildcard $(ALL_SRC:%.c=$(O)/%.d))

# One make installs the dependencies and the next uses them, so that it finds their flags.
.PHONY: deps deps-check deps-lint deps-fuzz
deps: ## install the Debian packages that building needs
	@sh tests/support/deps.sh build
deps-check: ## ... and those that testing needs
	@sh tests/support/deps.sh build check
deps-lint:
	@sh tests/support/deps.sh build check lint
deps-fuzz:
	@sh tests/support/deps.sh build fuzz

.PHONY: examples
examples: $(EXAMPLE_BIN) ## build the example programs of the library

.PHONY: demo
demo: ## install dependencies, build, show the program at work
	@sh tests/support/deps.sh build
	@$(MAKE) all
	@sh docs/examples/demo.sh $(abspath $(O))/manifesto

.PHONY: unit
unit: $(UNIT_BIN) ## build and run the unit tests
	@set -e; for t in $(UNIT_BIN); do echo "  TEST    $$t"; $$t; done

# tests/integration/install.sh installs what this make built.
RUN = T_MAKEARGS='BUILD=$(abspath $(BUILD)) SAN=$(SAN) CC=$(CC) WERROR=$(WERROR)' \
	$(PYTHON) tests/run --timeout $(TEST_TIMEOUT) --binary $(O)/manifesto

.PHONY: check check-built check-programs
check: ## install dependencies, build, run all tests
	@sh tests/support/deps.sh build check
	@$(MAKE) check-built
.PHONY: check-report
check-report: ## the page of `report` in Chromium, which is installed for it
	@sh tests/support/deps.sh build check browser
	@$(MAKE) all $(O)/tests/bench/fill
	@$(RUN) tests/browser/report.sh
.PHONY: check-chroots
check-chroots: ## run the demo and all tests in clean chroots of Debian 12 and 13, as root
	@sh tests/support/deps.sh chroot
	@bash tests/support/chroot.sh $(RELEASES)
.PHONY: check-packages
check-packages: ## build, examine, install, use and purge the Debian packages in clean chroots, as root
	@sh tests/support/deps.sh chroot
	@bash tests/support/chroot.sh --packages $(RELEASES)
check-programs: all $(FEW) $(UNIT_BIN) $(REPLAY_BIN) $(EXAMPLE_BIN) $(BENCH_BIN)
check-built: check-programs
	@$(RUN) $(or $(TESTS),$(SHELL_TESTS) $(UNIT_BIN) $(REPLAY_BIN))

.PHONY: abi
abi: all ## record functions and structs that are new in the shared library
	@$(PYTHON) tests/support/abi.py --update $(O)/$(SONAME) src/libmanifesto.abi $(VERSION)

.PHONY: fuzz-replay
fuzz-replay: $(REPLAY_BIN) ## run the fuzz corpora once
	@$(RUN) $(REPLAY_BIN)

.PHONY: fuzz fuzz-programs
fuzz: ## fuzz every target for FUZZ_SECONDS
	@sh tests/support/deps.sh build fuzz
	@$(MAKE) CC=clang SAN=fuzzer-no-link,address,undefined fuzz-programs
	@FUZZ_SECONDS=$(FUZZ_SECONDS) JOBS=$(JOBS) sh tests/support/fuzz.sh \
		$(FUZZ_SRC:%.c=$(BUILD)/san-fuzzer-no-link-address-undefined/%.fuzzer)
fuzz-programs: $(FUZZ_BIN)

.PHONY: interop
interop: all ## other TUF clients and the conformance suite, where they are installed
	@T_MANIFESTO=$(abspath $(O))/manifesto bash tests/interop/run.sh

.PHONY: bench bench-docs
bench: all $(BENCH_BIN) ## measure speed beside notary, and cosign, notation and oras
	@$(PYTHON) tests/bench/bench.py $(abspath $(O))
RESULT ?= $(O)/bench.json
bench-docs: ## draw the last result into docs/benchmarks.md
	@$(PYTHON) tests/bench/plot.py $(RESULT) docs

# --- static checks

SHELL_FILES = $(wildcard .ci/run) $(shell find .packaging tests docs keys -name '*.sh' 2>/dev/null)
TIDY_OK := $(ALL_SRC:%.c=$(O)/lint/%.tidy)

.PHONY: lint lint-own lint-shell lint-cppcheck lint-tidy
lint: ## clang-tidy, cppcheck, shellcheck and rules of our own
	@sh tests/support/deps.sh build check lint
	@$(MAKE) -k lint-own lint-shell lint-cppcheck lint-tidy
lint-own:
	@echo '  LINT    rules of our own'
	$(Q)$(PYTHON) tests/support/lint.py
lint-shell:
	@echo '  LINT    shellcheck'
	$(Q)shellcheck $(SHELL_FILES)
# cppcheck does not know the cleanup attribute, that NULL is a pointer, or that one thread uses a context.
CPPCHECK_OFF := missingIncludeSystem resourceLeak memleak leakReturnValNotUsed autoVariables varFuncNullUB \
	readdirCalled getpwuidCalled
lint-cppcheck:
	@echo '  LINT    cppcheck'
	$(Q)cppcheck --quiet --std=c17 --library=posix,gnu --enable=warning,performance,portability --inline-suppr \
		$(CPPCHECK_OFF:%=--suppress=%) --error-exitcode=1 -j$(JOBS) -Isrc -Iinclude -D_GNU_SOURCE \
		$(LIB_SRC) $(CLI_SRC) $(TUF_SRC) $(EXAMPLE_SRC)
lint-tidy: $(TIDY_OK)
ANALYZER = $(if $(filter src/base/err.c,$<),,-include tests/support/analyzer.h)
$(O)/lint/%.tidy: %.c $(ALL_HDR) .clang-tidy
	@mkdir -p $(@D)
	$(if $(Q),@echo '  TIDY    $<')
	$(Q)clang-tidy --quiet $< -- $(CPPFLAGS_ALL) -std=c17 $(PKG_CFLAGS) $(ANALYZER) 2>$@.err || \
		{ grep -v 'warnings generated' $@.err; exit 1; }
	@rm -f $@.err && touch $@

.PHONY: format
format: ## clang-format all C files
	clang-format -i $(wildcard src/*/*.[ch] include/manifesto/*.h tests/unit/*/*.[ch] tests/fuzz/*.c tests/fuzz/*/*.c tests/bench/*.c tests/support/*.[ch] docs/examples/*.c)

# --- releases

.PHONY: dist tarball deb image
ARCHIVE := $(BUILD)/manifesto-$(VERSION)
tarball:
	@sh .packaging/dist.sh $(VERSION) $(ARCHIVE).tar.gz
dist: all tarball ## the source tarball, and beside it what it contains and uses (SPDX)
	@sh tests/support/deps.sh build package
	@$(PYTHON) .packaging/sbom.py $(VERSION) $(ARCHIVE).tar.gz $(O)/manifesto $$(sh .packaging/dist.sh --epoch) \
		> $(ARCHIVE).spdx.new
	@mv $(ARCHIVE).spdx.new $(ARCHIVE).spdx.json
	@ls $(ARCHIVE).*
deb: tarball ## Debian packages
	@sh tests/support/deps.sh build deb
	@sh .packaging/deb.sh $(VERSION) $(ARCHIVE).tar.gz $(BUILD)/deb
image: all ## an OCI image of the program, in an image layout
	@sh tests/support/deps.sh build package
	@rm -rf $(O)/image $(O)/image.new
	@$(PYTHON) .packaging/image.py $(VERSION) $(O)/manifesto $$(sh .packaging/dist.sh --epoch) $(O)/image.new
	@mv $(O)/image.new $(O)/image
	@echo oci:$(O)/image:$(VERSION)

# --- installation

LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPLETION_BASH ?= $(PREFIX)/share/bash-completion/completions/manifesto
COMPLETION_ZSH ?= $(PREFIX)/share/zsh/site-functions/_manifesto
COMPLETION_FISH ?= $(PREFIX)/share/fish/vendor_completions.d/manifesto.fish
MAN_PAGES := $(wildcard docs/*.[157])
HEADERS := $(wildcard include/manifesto/*.h)
INSTALLED = $(PREFIX)/bin/manifesto $(PREFIX)/bin/manifesto-tuf $(LIBDIR)/libmanifesto.a $(LIBDIR)/$(SONAME) \
	$(LIBDIR)/libmanifesto.so $(LIBDIR)/pkgconfig/manifesto.pc \
	$(COMPLETION_BASH) $(COMPLETION_ZSH) $(COMPLETION_FISH) \
	$(HEADERS:include/%=$(INCLUDEDIR)/%) $(foreach p,$(MAN_PAGES),$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))

.PHONY: install uninstall
install: all ## install below PREFIX (with DESTDIR before it)
	install -D -m 755 $(O)/manifesto $(DESTDIR)$(PREFIX)/bin/manifesto
	install -D -m 755 $(O)/manifesto-tuf $(DESTDIR)$(PREFIX)/bin/manifesto-tuf
	install -D -m 644 $(O)/libmanifesto.a $(DESTDIR)$(LIBDIR)/libmanifesto.a
	install -D -m 644 $(O)/$(SONAME) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libmanifesto.so
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' src/manifesto.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/manifesto.pc
	install -D -m 644 -t $(DESTDIR)$(INCLUDEDIR)/manifesto $(HEADERS)
	@set -e; for s in bash:$(COMPLETION_BASH) zsh:$(COMPLETION_ZSH) fish:$(COMPLETION_FISH); do \
		install -D -m 644 /dev/null $(DESTDIR)$${s#*:}; \
		$(O)/manifesto completion $${s%%:*} > $(DESTDIR)$${s#*:}; done
	@set -e; for p in $(MAN_PAGES); do \
		install -D -m 644 $$p $(DESTDIR)$(MANDIR)/man$${p##*.}/$${p##*/}; done
	@[ -n "$(DESTDIR)" ] || ! [ -w /etc/ld.so.cache ] || PATH="$$PATH:/sbin:/usr/sbin" ldconfig
uninstall: ## remove what install installed
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	@rmdir $(DESTDIR)$(INCLUDEDIR)/manifesto 2>/dev/null || true

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)
