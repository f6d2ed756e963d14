#include "privsep/helper.h"

#define BIT(capability)	(UINT64_C(1) << (capability))

const uint64_t caps_host = BIT(CAP_SYS_ADMIN) | BIT(CAP_MKNOD) |
    BIT(CAP_SYS_PTRACE);

int
caps_apply(const uint64_t sets[PLAN_CAPSETS])
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	uint64_t ambient, own;
	int cap, i;

	/* libcap would look at each of them first: forty system calls. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 ||
	    capget(&h, d) == -1)
		return (-errno);
	/* Each cut to what the process has. */
	own = (uint64_t)d[1].permitted << 32 | d[0].permitted;
	ambient = own & sets[PLAN_AMBIENT] & sets[PLAN_PERMITTED] &
	    sets[PLAN_INHERITABLE];
	for (i = 0; i < 2; i++, own >>= 32) {
#define HALF(set) (uint32_t)(own & (sets[set] >> (32 * i)))
		d[i].effective = HALF(PLAN_EFFECTIVE);
		d[i].permitted = HALF(PLAN_PERMITTED);
		d[i].inheritable = HALF(PLAN_INHERITABLE);
	}
	if (capset(&h, d) == -1)
		return (-errno);
	for (cap = 0; cap < cap_max_bits(); cap++) {
		if ((ambient & BIT(cap)) != 0 &&
		    cap_set_ambient(cap, CAP_SET) == -1)
			return (-errno);
	}
	return (0);
}

int
caps_limit(uint64_t keep)
{
	const uint64_t sets[] = { [PLAN_EFFECTIVE] = keep,
		[PLAN_PERMITTED] = keep, [PLAN_AMBIENT] = 0 };

	return (caps_apply(sets));
}

int
caps_bound(uint64_t keep)
{
	int cap;

	for (cap = 0; cap < cap_max_bits(); cap++) {
		if ((keep & BIT(cap)) == 0 && cap_drop_bound(cap) == -1)
			return (-errno);
	}
	return (0);
}

const char *
caps_confine(struct plan *plan, const struct node *node, int on_node)
{
	const uint64_t network = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW),
	    dropped = caps_host | ((on_node & 1 << PLAN_NS_NET) != 0 &&
	    !node->host_network_caps ? network : 0);
	int i;

	for (i = 0; i < PLAN_CAPSETS; i++) {
		if ((plan->capabilities[i] & BIT(CAP_SYS_ADMIN)) != 0)
			return ("CAP_SYS_ADMIN, and the pod is not privileged");
		plan->capabilities[i] &= ~dropped;
	}
	return (NULL);
}
