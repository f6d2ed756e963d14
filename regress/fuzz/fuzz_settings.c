/*
 * What `start` and `delete`, who are root, take of a confined child that was
 * taken over, and of a document that they only look through: settings that
 * can be used as they are, a pod whose name is one.
 */
#include "regress/fuzz/fuzz.h"

/* What it consists of is static there. */
#include "shim/settings.c"

/* A component that leads upwards; a name may begin like that. */
static int
is_upwards(const char *path)
{
	size_t length;

	for (; *path != '\0'; path += length + (path[length] == '/')) {
		length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.')
			return (1);
	}
	return (0);
}

static void
check_path(const char path[NODE_PATH_SIZE], int empty)
{
	must(memchr(path, '\0', NODE_PATH_SIZE) != NULL);
	must(path[0] == '/' || (empty && path[0] == '\0'));
	must(strstr(path, "//") == NULL && !is_upwards(path));
}

/* Strings back to back, the last of them empty. */
static void
check_list(const char list[NODE_LIST_SIZE], const char *below)
{
	const char *end = list + NODE_LIST_SIZE, *s;

	for (s = list; s < end && *s != '\0'; s += strlen(s) + 1) {
		must(memchr(s, '\0', (size_t)(end - s)) != NULL);
		must(strncmp(s, below, strlen(below)) == 0);
		must(!is_upwards(s));
	}
	must(s < end);
}

static void
check_settings(const struct settings *settings)
{
	const struct conf *conf = &settings->conf;
	const struct node *node = &conf->node;

	must(conf->error[0] == '\0' && settings->error[0] == '\0');
	must(conf->uids.first > 0 && conf->uids.first < INT32_MAX);
	must(node->profile <= NODE_HOST && node->network_host <= 1 &&
	    node->overlay_node <= 1 && node->annotations <= 1 &&
	    node->dns_kubernetes <= 1 && node->host_network_caps <= 1 &&
	    node->audit <= 1);
	check_path(node->runtime_root, 0);
	check_path(node->log_dir, 1);
	check_path(node->overlay_base, 1);
	check_path(conf->shim_log, 1);
	check_path(conf->runtime_log, 1);
	must(memchr(node->overlay_size, '\0', NODE_SIZE_SIZE) != NULL &&
	    strchr(node->overlay_size, ',') == NULL);
	check_list(node->run_allow, "/run/");
	check_list(node->device_allow, "/dev/");
	check_list(node->filters[0], "");
	check_list(node->filters[1], "");
	must(settings->sandbox_id[0] == '\0' ||
	    msg_id_valid(settings->sandbox_id));
}

/* Input: differences to good settings; then a document. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "REAPER_RUN_ALLOW=/run/a,/run/b\n"
				   "REAPER_DEVICE_ALLOW=/dev/fuse\n"
				   "REAPER_LOG_DIR=/var/log/reaper\n";
	static struct conf_given given;
	static struct settings good, settings;
	struct input in = { data, size };
	struct files_text bundle;
	char pod[MSG_ID_SIZE];
	char *copy;

	report_to(-1);
	if (good.conf.uids.first == 0) {
		conf_init(&given);
		must(conf_parse_text(&given, text, strlen(text)) == 0 &&
		    conf_finish(&given) == 0);
		good.conf = given.conf;
		strcpy(good.sandbox_id, "pod");
	}
	settings = good;
	input_flip(&in, &settings, sizeof(settings));
	if (answer_check(&settings, 1) == 0)
		check_settings(&settings);

	copy = malloc(in.size > 0 ? in.size : 1);
	must(copy != NULL);
	memcpy(copy, in.data, in.size);
	bundle.text = copy;
	bundle.length = in.size;
	pod_guess(&bundle, pod);
	must(pod[0] == '\0' || msg_id_valid(pod));
	free(copy);
	return (0);
}
