# The compiler and its flags.  Those that a compiler may lack are tried, once,
# when first needed: `deps` may have installed it a moment ago.
ifeq ($(origin CC),default)
CC = gcc
endif
try = $(shell echo 'int x;' | $(CC) -Werror $(1) -xc -c -o /dev/null - \
    2>/dev/null && echo '$(1)')
ZERO = -ftrivial-auto-var-init=zero
CLANG_ZERO = $(ZERO) \
    -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
HARDEN = $(eval HARDEN := -fPIE -fstack-protector-strong \
    $(call try,-fstack-clash-protection) $(call try,-fcf-protection=full) \
    $(call try,-mbranch-protection=standard) \
    $(or $(call try,$(ZERO)),$(call try,$(CLANG_ZERO))))$(HARDEN)
OPTIMIZE = -O2 -D_FORTIFY_SOURCE=3
# Without a value it is 1.
PIE = $(if $(filter 0,$(STATIC)),-pie,-static-pie)
$(if $(filter-out 0 1,$(STATIC)),$(error STATIC=$(STATIC): expected 0 or 1))
ifneq ($(SANITIZE),)
OPTIMIZE = -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all \
    -fsanitize=address,undefined $(FUZZER)
# Its runtime is a shared library.
override STATIC = 0
FUZZER = $(if $(filter fuzz,$(SANITIZE)),-fsanitize=fuzzer-no-link)
endif
# The counters are a shared mapping of a file, so that what ends by _exit(2), by
# a signal or by execve(2), or can open nothing, has counted all the same.
ifneq ($(COVERAGE),)
OPTIMIZE += -fcoverage-mapping -fprofile-update=atomic \
    -fprofile-instr-generate='$(abspath $(BUILD))/profiles/%m%c.profraw'
COUNTERS = -mllvm -runtime-counter-relocation
endif
CPPFLAGS = -I. -I$(BUILD) -D_GNU_SOURCE \
    $(COUNTERS) $(if $(SANITIZE),-DREPORTS='"$(abspath $(BUILD))/reports"')
CFLAGS = -std=gnu17 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes \
    -Wstrict-prototypes -Wvla -Wformat=2 $(OPTIMIZE) $(HARDEN) \
    -ffunction-sections -fdata-sections -ffile-prefix-map='$(CURDIR)=.'
# A linker warns of what would look for shared libraries after all: users'
# names, hosts' names.
LDFLAGS = -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--as-needed \
    -Wl,--fatal-warnings
