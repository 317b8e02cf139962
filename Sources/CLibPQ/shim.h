#include <libpq-fe.h>
// What the reactor waits with; the Glibc module leaves these two headers out.
#include <sys/epoll.h>
#include <sys/eventfd.h>
