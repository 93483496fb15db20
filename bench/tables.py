# SPDX-License-Identifier: Apache-2.0
"""The results as tables: text that is also Markdown. Measures nothing."""
import active
import peers

MIB = 1 << 20


def table(header, rows):
    """Columns aligned; the first to the left, figures to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]

    def line(row):
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        return "| " + " | ".join(cells) + " |"
    return "\n".join(line(row) for row in [header, rule, *rows])


def figure(value):
    """Three digits that count."""
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def mega(value):
    return figure(value / 1e6)


def mib(value):
    return f"{value / MIB:.0f}" if value >= 10 * MIB else f"{value / MIB:.1f}"


def packets_per_s(measured, way):
    found = measured["ways"].get(way)
    return measured["packets"] / found["wall_s"] if found and not found["failed"] else None


def ratio(measured, way, other):
    """How many times as fast `way` was as `other`; None where either is missing."""
    ours, theirs = packets_per_s(measured, way), packets_per_s(measured, other)
    return ours / theirs if ours and theirs else None


def times(value):
    return f"{figure(value)} x" if value else "-"


def percent(part, whole):
    return f"{figure(100 * part / whole)} %" if whole else "-"


def analysed(answer):
    """What the full analysis looked at, of an account of suite.py."""
    if not answer:
        return "its answer could not be read"
    text = f"{answer['connections_analysed']:,} of {answer['connections']:,} connections"
    if answer["packets"]:
        text += f" with {percent(answer['packets_analysed'], answer['packets'])} of the TCP packets"
    return f"{text}; verdict {answer['verdict']}"


def answers(measured):
    """What the two passes looked at and said, beside the whole analysis."""
    found = measured.get("answers", {})
    names = {peers.OURS_ONE: "Analysed after screening", peers.OURS_FULL: "With --full"}
    lines = [f"{title}: {analysed(found[name])}." for name, title in names.items() if name in found]
    return "\n\n" + "\n".join(lines) if lines else ""


def compared(measured):
    """One input, every program."""
    rows = []
    for name, cost in measured["ways"].items():
        if cost["failed"]:
            rows.append([name, "failed", *[""] * 7])
            continue
        spread = f"{figure(cost['best_s'])}-{figure(cost['worst_s'])}"
        rows.append([name, mega(measured["packets"] / cost["wall_s"]),
                     mega(measured["packets"] / max(cost["cpu_s"], 1e-3)), mega(measured["bytes"] / cost["wall_s"]),
                     times(ratio(measured, name, peers.CAPINFOS)), times(ratio(measured, name, peers.TCPTRACE)),
                     mib(cost["anon_bytes"]), figure(cost["wall_s"]), spread])
    title = (f"### {measured['name']}: {measured['what']}\n\n{mega(measured['packets'])} M packets, "
             f"{mega(measured['bytes'])} MB\n\n")
    return title + table(["program", "M packets/s", "M packets/CPU s", "MB/s", "of capinfos", "of tcptrace", "memory MiB",
                          "seconds", "best-worst"], rows) + answers(measured)


def compressed(found):
    rows = []
    for measured in found:
        plain = next(iter(measured["ways"].values()))
        for name, cost in measured["ways"].items():
            rows.append([f"{measured['name']}: {name}", mega(measured["plain_bytes"] / cost["wall_s"]),
                         figure(cost["wall_s"]), times(cost["wall_s"] / plain["wall_s"]), mib(cost["anon_bytes"])])
    return table(["input: program", "MB/s decompressed", "seconds", "time of the decompressor", "memory MiB"], rows)


def read_rates(read):
    return table(["what", "rate"], [
        [f"`dd` of the {read['input']} input to /dev/null", f"{mega(read['dd_bytes_per_s'])} MB/s"],
        ["every byte of it, mapped", f"{mega(read['mapped_bytes_per_s'])} MB/s"],
        ["bare walk over the mapped records of the base input", f"{mega(read['records_per_s'])} M packets/s"]])


def packet_ns(point, startup_s):
    return (point["wall_s"] - startup_s) / point["packets"] * 1e9


def further_ns(points):
    """Of each point but the first: the time of each packet that it has more than the one before."""
    return [None] + [(now["wall_s"] - then["wall_s"]) / (now["packets"] - then["packets"]) * 1e9
                     for then, now in zip(points, points[1:])]


def by_packets(points, startup_s):
    rows = []
    for point, further in zip(points, further_ns(points)):
        rows.append([f"{point['packets']:,}", figure(packet_ns(point, startup_s)), figure(further) if further else "-",
                     mega(point["packets"] / point["wall_s"]), mib(point["anon_bytes"])])
    return table(["packets", "ns a packet", "ns for each further one", "M packets/s", "memory MiB"], rows)


def fits(bytes_of_state, caches):
    """The smallest cache that holds so much."""
    for level in sorted(caches, key=int):
        if bytes_of_state <= caches[level]:
            return f"L{level}"
    return "memory"


def by_connections(points, startup_s, caches):
    least = points[0]["anon_bytes"]
    rows = []
    for point in points:
        state = point["anon_bytes"] - least
        rows.append([f"{point['connections']:,}", figure(packet_ns(point, startup_s)),
                     mega(point["packets"] / point["wall_s"]), mib(point["anon_bytes"]),
                     figure(state / point["connections"]) if state else "-", fits(state, caches)])
    return table(["connections", "ns a packet", "M packets/s", "memory MiB", "bytes a connection", "state fits"], rows)


def machine(about):
    caches = ", ".join(f"L{level} {size / MIB:.3g} MiB" for level, size in about["caches"].items())
    return (f"{about['processor']}, {about['cores']} cores, {caches} (as one core sees them), "
            f"{about['memory_bytes'] / (1 << 30):.0f} GiB of memory, Linux {about['kernel']}; {disturbance(about)}")


def disturbance(about):
    text = f"load {about['load']:.2f} before the run"
    if "others" in about:
        text += (f"; during it other work took {100 * about['others']:.1f} % of the processors, "
                 f"the hypervisor {100 * about['stolen']:.1f} %")
    return text


def attacks(found):
    rows = []
    for measured in found:
        row = [measured["what"]]
        for way in (peers.OURS_ONE, peers.OURS_FULL):
            cost, answer = measured["ways"][way], measured["answers"][way]
            row += [mega(measured["packets"] / cost["wall_s"]), mib(cost["anon_bytes"]),
                    answer["verdict"] if answer else "**failed**"]
        rows.append(row)
    return table(["attack", "screened: M packets/s", "memory MiB", "verdict", "--full: M packets/s", "memory MiB",
                  "verdict"], rows)


def transfers(path):
    """One path, the active test beside iperf3."""
    rows = []
    for way in active.WAYS:
        found = path["ways"][way]
        rates = sorted(rate / 1e9 for rate in found["rates"])
        rows.append([way, figure(found["bits_per_s"] / 1e9), f"{figure(rates[0])}-{figure(rates[-1])}",
                     times(found["rate_ratio"]), figure(1e3 * found["client_s_per_gbit"]),
                     figure(1e3 * found["server_s_per_gbit"]), times(found["cpu_ratio"])])
    title = f"### Over {path['path']}\n\n{path['rounds']} rounds of {path['seconds']:g} s each way\n\n"
    return title + table(["what", "Gbit/s", "least-most", "of iperf3", "client CPU ms/Gbit", "server CPU ms/Gbit",
                          "CPU/bit to iperf3"], rows)
