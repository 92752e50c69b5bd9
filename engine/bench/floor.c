/* The floor of tick-to-order: receives the same packets as the engine and sends the same bytes on the same packets,
 * and does nothing else: no decoding, no books, no checks, no journal.
 *
 *   floor SCRIPT UDP_PORT TCP_PORT
 *
 * SCRIPT (64-bit little endian): count, stream length, begin[count], end[count], stream. A MoldUDP64 packet whose first
 * message is number s makes it send stream[begin[s]] to stream[end[s]]. Both sockets are polled without waiting, as the
 * engine's loop does. Ends when the TCP connection is closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static uint64_t sequence_of(const unsigned char *packet)
{
    uint64_t value = 0;
    for (int at = 10; at < 18; at++)
        value = value << 8 | packet[at];
    return value;
}

int main(int argc, char **argv)
{
    static unsigned char packet[2048], answers[65536];
    int64_t head[2];
    if (argc != 4)
        return 2;
    FILE *script = fopen(argv[1], "rb");
    if (!script || fread(head, sizeof head, 1, script) != 1)
        return 1;
    int64_t *begins = malloc(head[0] * 8), *ends = malloc(head[0] * 8);
    char *stream = malloc(head[1] + 1);
    if (!begins || !ends || !stream || fread(begins, 8, head[0], script) != (size_t)head[0] ||
        fread(ends, 8, head[0], script) != (size_t)head[0] || fread(stream, 1, head[1], script) != (size_t)head[1])
        return 1;
    struct sockaddr_in udp_at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))}, tcp_at = udp_at;
    udp_at.sin_addr.s_addr = tcp_at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    tcp_at.sin_port = htons(atoi(argv[3]));
    int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0), one = 1, room = 4 << 20;
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(udp, (struct sockaddr *)&udp_at, sizeof udp_at) || connect(tcp, (struct sockaddr *)&tcp_at, sizeof tcp_at))
        return 1;
    for (;;) {
        ssize_t length = recv(udp, packet, sizeof packet, MSG_DONTWAIT);
        if (length >= 20) {
            uint64_t sequence = sequence_of(packet);
            if (sequence < (uint64_t)head[0] && ends[sequence] > begins[sequence])
                send(tcp, stream + begins[sequence], ends[sequence] - begins[sequence], MSG_NOSIGNAL);
            continue;
        }
        length = recv(tcp, answers, sizeof answers, MSG_DONTWAIT);
        if (length == 0 || (length < 0 && errno != EAGAIN))
            return 0;
    }
}
