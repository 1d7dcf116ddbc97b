// Telemetry: counting and tracing. Counters, gauges and histograms with their text for Prometheus, and the W3C trace
// context.
//
// This room is pure: it knows no socket, file, clock or logger. It is handed durations and random bits and appends
// bytes. Which metrics there are and what their labels mean is decided by those who count.
//
// What is counted on the hot path is an addition at a known index: no lock, no atomic read-modify-write, no
// dictionary, no String. Each writer (a reactor, the writer thread of the store) has cells of its own, and the cells
// of all writers are summed when somebody looks.
