# How programs are made: FOLDER/*.c but main.c is build/libFOLDER.a.  All is
# made again when the flags change, a library when its list of objects does.
PROTOS = $(patsubst %.proto,$(BUILD)/%.pb-c,$(wildcard shim/proto/*.proto))
GENERATED = $(BUILD)/policies.h $(BUILD)/version.h $(PROTOS:=.h)
LIBS = $(FOLDERS:%=$(BUILD)/lib%.a)
POLICIES = $(wildcard sandbox-policies/*.policy)
# What only programs have: their policies, and with sanitizers a keeper of
# reports, and in the policies what the runtime of these calls.
ONLY = $(BUILD)/policies.o
ifeq ($(SANITIZE),1)
ONLY = $(BUILD)/policies-sanitize.o $(BUILD)/regress/lib/sanitize.o
endif

objects = $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c,$(wildcard $1/*.c)))
say = $(if $(V),,@printf '  %-6s %s\n' $1 $@;)
keep = @mkdir -p $(@D); printf '%s\n' '$1' >$@.new; \
    if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
compile = $(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
link = $(call say,LD)$(CC) $(CFLAGS) $1 $(LDFLAGS) -o $@ $(filter %.o,$^) \
    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -Wl,-Map=$@.map

$(BUILD)/flags: FORCE | build-deps
	$(call keep,$(CC) $(CPPFLAGS) $(CFLAGS) $(PIE) $(LDFLAGS) \
	    $(if $(STATIC),STATIC=$(STATIC)))

$(BUILD)/version.h: VERSION FORCE
	$(call keep,#define REAPER_VERSION "$(file <VERSION)$(shell \
	    git log -1 --format=' (%h %cs)' 2>/dev/null)")

# Sandbox policies: text to C, by a program of the build machine.
$(BUILD)/policyc: tools/policyc.c $(BUILD)/flags
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -lseccomp -lcap

# Tables of documents, made from the code.
$(BUILD)/confdoc: $(BUILD)/tools/confdoc.o $(BUILD)/tools/privdoc.o \
    $(BUILD)/privsep/caps.o $(BUILD)/privsep/msg.o $(BUILD)/policies.o \
    $(BUILD)/libunpriv.a
	$(call link,-pie) -lcap

# What `reaper-runtime explain` says, as bytes of a program.
$(BUILD)/explain.txt: $(BUILD)/confdoc $(POLICIES)
	$(call say,DOC)$< text sandbox-policies >$@

$(BUILD)/explain.c: $(BUILD)/explain.txt
	$(call say,SED){ echo 'extern const char explain_text[];'; \
	    echo 'const char explain_text[] ='; \
	    sed 's/.*/"&\\n"/' $<; echo ';'; } >$@

$(BUILD)/policies.c $(BUILD)/policies.h &: $(BUILD)/policyc $(POLICIES)
	$(call say,POLICY)$< $(BUILD)/policies $(filter %.policy,$^)

$(BUILD)/policies-sanitize.c: $(BUILD)/policyc $(POLICIES:%=$(BUILD)/%)
	$(call say,POLICY)$< $(@:.c=) $(filter %.policy,$^)

$(BUILD)/%.pb-c.c $(BUILD)/%.pb-c.h &: %.proto | build-deps
	@mkdir -p $(BUILD)
	$(call say,PROTOC)protoc-c -I. --c_out=$(BUILD) $<

$(BUILD)/sandbox-policies/%.policy: sandbox-policies/%.policy \
    regress/lib/sanitize.policy
	@mkdir -p $(@D)
	$(call say,AWK)awk '$$1 == "default" { free = $$2 == "unfiltered" } \
	    FNR == NR { has[$$1]; print; next } \
	    !/^#/ && ("capabilities" in has) && !free && !($$1 in has)' $^ >$@

$(PROTOS:=.o) $(BUILD)/explain.o $(BUILD)/policies.o \
    $(BUILD)/policies-sanitize.o: %.o: %.c $(BUILD)/flags | $(GENERATED)
	$(compile)

$(BUILD)/%.o: %.c $(BUILD)/flags | $(GENERATED)
	@mkdir -p $(@D)
	$(compile)

$(BUILD)/%.list: FORCE
	$(call keep,$(call objects,$*))

.SECONDEXPANSION:
$(BUILD)/libshim.a: $(PROTOS:=.o)
$(LIBS): $(BUILD)/lib%.a: $(BUILD)/%.list $$(call objects,$$*)
	$(call say,AR)rm -f $@; $(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/reaper-privsep: $(BUILD)/privsep/main.o $(BUILD)/libprivsep.a \
    $(BUILD)/libunpriv.a $(ONLY)
	$(call link,$(PIE)) -lsodium -lcap -lseccomp

$(BUILD)/containerd-shim-reaper-v2: $(BUILD)/shim/main.o $(BUILD)/libshim.a \
    $(BUILD)/libruntime.a $(BUILD)/libunpriv.a $(BUILD)/libprivsep.a $(ONLY)
	$(call link,$(PIE)) -lsodium -lcap -lprotobuf-c -lseccomp

$(BUILD)/reaper-runtime: $(BUILD)/cli/main.o $(BUILD)/explain.o \
    $(BUILD)/libcli.a \
    $(BUILD)/libshim.a $(BUILD)/libruntime.a $(BUILD)/libunpriv.a \
    $(BUILD)/libprivsep.a $(ONLY)
	$(call link,$(PIE)) -lsodium -lcap -lprotobuf-c -lseccomp

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
