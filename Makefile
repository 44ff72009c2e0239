# manifesto: build, test, install. `make help` lists the targets.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
V ?= 0
SAN ?=
WERROR ?= 0
MODULES ?= base json crypto store tuf net keys record oci trust policy ops
VERSION := 0.1.0

ifneq ($(SAN),)
comma := ,
O := $(BUILD)/san-$(subst $(comma),-,$(SAN))
else
O := $(BUILD)
endif
Q := $(if $(filter 1,$(V)),,@)

PKGS := libcurl jansson libsodium libcrypto
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
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all
endif
ifeq ($(WERROR),1)
WARN += -Werror
endif
CPPFLAGS_ALL := -D_GNU_SOURCE -DMF_VERSION='"$(VERSION)"' -Isrc -Iinclude $(CPPFLAGS)
CFLAGS_ALL = -std=c17 $(OPT) -g -fPIE -fvisibility=hidden $(WARN) $(HARDEN) $(SANFLAGS) \
	$(shell pkg-config --cflags $(PKGS)) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(SANFLAGS) $(LDFLAGS)
LIBS = $(shell pkg-config --libs $(PKGS)) -lpthread

LIB_SRC := $(sort $(foreach m,$(MODULES),$(wildcard src/$(m)/*.c)))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o)
CLI_SRC := $(sort $(wildcard src/cli/*.c))
CLI_OBJ := $(CLI_SRC:%.c=$(O)/%.o)
UNIT_SRC := $(sort $(foreach m,$(MODULES),$(wildcard tests/unit/$(m)/*.c)))
UNIT_BIN := $(UNIT_SRC:%.c=$(O)/%)
FUZZ_SRC := $(sort $(foreach m,$(MODULES),$(wildcard tests/fuzz/$(m)/*.c)))
EXAMPLE_SRC := $(sort $(wildcard docs/examples/*.c))
EXAMPLE_BIN := $(EXAMPLE_SRC:%.c=$(O)/%)

.PHONY: all
all: $(O)/manifesto

# Rebuild everything when flags change.
$(O)/flags: FORCE
	@mkdir -p $(O)
	@echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' | cmp -s - $@ || \
		echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' > $@
.PHONY: FORCE

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(O)/libmanifesto.a: $(LIB_OBJ)
	$(if $(Q),@echo '  AR      $@')
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/manifesto: $(CLI_OBJ) $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(O)/tests/unit/%: $(O)/tests/unit/%.o $(O)/libmanifesto.a
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka

$(O)/docs/examples/%: $(O)/docs/examples/%.o $(O)/libmanifesto.a
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

.SECONDARY:
-include $(shell find $(O) -name '*.d' 2>/dev/null)

.PHONY: unit
unit: $(UNIT_BIN)
	@set -e; for t in $(UNIT_BIN); do echo "  TEST    $$t"; $$t; done

.PHONY: clean
clean:
	rm -rf $(BUILD)
