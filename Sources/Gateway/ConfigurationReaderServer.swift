import Bytes
import Documents

extension ConfigurationReader {
    mutating func readServer(_ map: DocumentMapping) {
        section(map, "server") { server in
            var configuration = result.server
            configuration.idleTimeout = timeout(server, "idle_timeout", configuration.idleTimeout, max: .hours(24))
            configuration.headTimeout = timeout(server, "head_timeout", configuration.headTimeout)
            configuration.bodyTimeout = timeout(server, "body_timeout", configuration.bodyTimeout)
            configuration.sendTimeout = timeout(server, "send_timeout", configuration.sendTimeout)
            configuration.handshakeTimeout = timeout(server, "handshake_timeout", configuration.handshakeTimeout)
            configuration.lingerTimeout = timeout(server, "linger_timeout", configuration.lingerTimeout)
            configuration.bodyBytesPerSecondMin = Int64(
                server.byteCount(
                    "body_rate_min", in: 0...(1 << 30), default: Int(configuration.bodyBytesPerSecondMin)))
            configuration.sendBufferBytesMax = server.byteCount(
                "send_buffer", in: 4_096...(64 << 20), default: configuration.sendBufferBytesMax)
            configuration.lingerBytesMax = Int64(
                server.byteCount("linger_max", in: 0...(1 << 30), default: Int(configuration.lingerBytesMax)))
            configuration.connectionsMax = server.int(
                "connections", in: 1...1_048_576, default: configuration.connectionsMax)
            result.connectionsPerAddressMax = server.int(
                "connections_per_address", in: 0...1_048_576, default: result.connectionsPerAddressMax)
            let http = configuration.http
            configuration.http.headBytesMax = server.byteCount(
                "head_max", in: 1_024...(1 << 20), default: http.headBytesMax)
            configuration.http.requestTargetBytesMax = server.byteCount(
                "target_max", in: 256...(1 << 20), default: http.requestTargetBytesMax)
            configuration.http.fieldLineBytesMax = server.byteCount(
                "field_line_max", in: 256...(1 << 20), default: http.fieldLineBytesMax)
            configuration.http.fieldCountMax = server.int("fields_max", in: 8...1_000, default: http.fieldCountMax)
            configuration.http.trailerBytesMax = server.byteCount(
                "trailer_max", in: 0...(1 << 20), default: http.trailerBytesMax)
            configuration.http.bodyBytesMax = Int64(
                server.byteCount("body_max", in: 0...(1 << 40), default: Int(http.bodyBytesMax)))
            for (key, part) in [
                ("target_max", configuration.http.requestTargetBytesMax),
                ("field_line_max", configuration.http.fieldLineBytesMax),
            ] where part > configuration.http.headBytesMax {
                (server.optional(key) ?? server.optional("head_max"))?.report(
                    "'\(key)' (\(DocumentUnits.bytes(part))) is more than 'head_max' "
                        + "(\(DocumentUnits.bytes(configuration.http.headBytesMax))), which it is a part of")
            }
            result.server = configuration
        }
    }

    mutating func readAudit(_ map: DocumentMapping) {
        section(map, "audit") { audit in
            result.audit.directory = audit.string("directory")
            result.audit.key = audit.optional("key").flatMap(Self.secret)
            result.audit.segmentBytesMax = Int64(
                audit.byteCount(
                    "segment_size", in: 65_536...(1 << 34), default: Int(result.audit.segmentBytesMax)))
            result.audit.syncInterval = audit.duration(
                "sync_interval", in: 0 ... .seconds(1), default: result.audit.syncInterval)
            result.audit.backlogBytesMax = audit.byteCount(
                "backlog", in: 65_536...(1 << 30), default: result.audit.backlogBytesMax)
            if audit.optional("redact") != nil { result.audit.redact = audit.strings("redact") }
        }
    }

    mutating func readLedger(_ map: DocumentMapping) {
        section(map, "ledger") { ledger in
            result.ledger.file = ledger.string("file")
            result.ledger.retention = ledger.duration(
                "retention", in: .minutes(1) ... .hours(24 * 366), default: result.ledger.retention)
        }
    }

    mutating func readLog(_ map: DocumentMapping) {
        section(map, "log") { log in
            result.log.format = log.choice("format", default: result.log.format)
            result.log.level =
                log.optional("level")?.choice(
                    ["trace", "debug", "info", "notice", "warning", "error", "critical"], what: "log level")
                ?? result.log.level
            result.log.access = log.string("access", default: result.log.access)
        }
    }
}
