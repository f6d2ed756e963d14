# How tests are made.  Kyua looks for them below build/ at the same path.
UNIT = $(patsubst %.c,$(BUILD)/%,$(wildcard regress/unit/*_test.c))
SCRIPTS = $(patsubst %.sh,$(BUILD)/%,$(wildcard regress/*/*_test.sh))
SHARED = $(patsubst %,$(BUILD)/%,$(wildcard regress/lib/*))
FUZZERS = $(patsubst %.c,$(BUILD)/%,$(wildcard regress/fuzz/fuzz_*.c))
TESTS = $(UNIT) $(SCRIPTS) $(SHARED)

# Where a test has a function __wrap_NAME, that is what NAME comes to; also if
# it has it from a header.
played = $(shell sed -n 's/^\#include "\(.*\/played\.h\)"/\1/p' $1)
wraps = $(shell sed -n 's/^__wrap_\([a-z0-9_]*\).*/-Wl,--wrap=\1/p' \
    $1 $(call played,$1))

$(UNIT): $(BUILD)/%: $(BUILD)/%.o $(LIBS) $(BUILD)/policies.o
	$(call link,-pie $(call wraps,$*.c)) -lsodium -lcap -lprotobuf-c -lseccomp -latf-c

$(FUZZERS): $(BUILD)/%: $(BUILD)/%.o $(LIBS) $(BUILD)/policies.o
	$(call link,-pie -fsanitize=fuzzer $(call wraps,$*.c)) -lsodium -lcap \
	    -lprotobuf-c -lseccomp

$(SCRIPTS): $(BUILD)/%: %.sh
	@mkdir -p $(@D)
	$(call say,SH){ echo '#!/usr/bin/env atf-sh'; cat $<; } >$@ && chmod +x $@

$(SHARED): $(BUILD)/%: %
	@mkdir -p $(@D)
	$(call say,COPY)cp -p $< $@
