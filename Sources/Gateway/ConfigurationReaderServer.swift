import Bytes
import Documents
import Webhooks
import HTTP

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
            configuration.retireTime = timeout(server, "retire_time", configuration.retireTime)
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
            section(server, "http2") { http2 in readHTTP2(http2, into: &configuration.http2) }
            result.connectionRatePerAddress = server.int(
                "connection_rate_per_address", in: 0...1_000_000, default: result.connectionRatePerAddress)
            configuration.handshakesMax = server.int("handshakes", in: 1...65_536, default: configuration.handshakesMax)
            configuration.stepsPerTurnMax = server.int(
                "steps_per_turn", in: 1...65_536, default: configuration.stepsPerTurnMax)
            configuration.responseBytesPerSecondMin = Int64(
                server.byteCount(
                    "send_rate_min", in: 0...(1 << 30), default: Int(configuration.responseBytesPerSecondMin)))
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

    private func readHTTP2(_ map: DocumentMapping, into limits: inout HTTP2Limits) {
        limits.streamsMax = map.int("streams", in: 1...10_000, default: limits.streamsMax)
        limits.streamWindowBytesMax = map.byteCount(
            "stream_window", in: 16_384...(1 << 30), default: limits.streamWindowBytesMax)
        limits.connectionWindowBytesMax = map.byteCount(
            "connection_window", in: 65_535...(1 << 30), default: limits.connectionWindowBytesMax)
        limits.sendBufferBytesMax = map.byteCount(
            "send_buffer", in: 65_536...(1 << 30), default: limits.sendBufferBytesMax)
        limits.continuationsMax = map.int("continuations", in: 0...1_024, default: limits.continuationsMax)
        limits.controlFramesMax = map.int("control_frames", in: 16...1_000_000, default: limits.controlFramesMax)
        limits.controlFramesPerSecondMax = map.int(
            "control_frames_per_second", in: 1...1_000_000, default: limits.controlFramesPerSecondMax)
        limits.resetsMax = map.int("resets", in: 1...1_000_000, default: limits.resetsMax)
        limits.resetsPerSecondMax = map.int(
            "resets_per_second", in: 1...1_000_000, default: limits.resetsPerSecondMax)
        limits.headerTableBytesMax = map.byteCount(
            "header_table", in: 0...65_536, default: limits.headerTableBytesMax)
        limits.settingsTimeout = timeout(map, "settings_timeout", limits.settingsTimeout)
        limits.pingInterval = timeout(map, "ping_interval", limits.pingInterval, max: .hours(24))
        limits.pingTimeout = timeout(map, "ping_timeout", limits.pingTimeout)
        limits.responseBytesPerSecondMin = Int64(
            map.byteCount("response_rate_min", in: 0...(1 << 30), default: Int(limits.responseBytesPerSecondMin)))
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

    mutating func readWebhooks(_ map: DocumentMapping) {
        section(map, "webhooks") { webhooks in
            let known = result.webhooks
            result.webhooks.allowedNetworks = webhooks.list("allowed_networks") { value in
                guard let text = value.string() else { return nil }
                if AddressRange(text) == nil {
                    value.report(
                        "expected a network such as 10.20.0.0/16, or an address; no bit behind the prefix is set")
                }
                return text
            }
            result.webhooks.allowsPlainText = webhooks.bool("allow_plain_text", default: known.allowsPlainText)
            result.webhooks.proxy = webhooks.string("proxy")
            result.webhooks.deadLetterRetention = webhooks.duration(
                "dead_letter_retention", in: .minutes(1) ... .hours(24 * 366), default: known.deadLetterRetention)
            result.webhooks.holdMax = webhooks.duration(
                "hold_max", in: .minutes(1) ... .hours(24 * 3_660), default: known.holdMax)
            result.webhooks.secretOverlap = webhooks.duration(
                "secret_overlap", in: 0 ... .hours(24 * 366), default: known.secretOverlap)
        }
    }

    mutating func readEvents(_ map: DocumentMapping) {
        section(map, "events") { events in
            result.events.retention = events.duration(
                "retention", in: .minutes(1) ... .hours(24 * 3_660), default: result.events.retention)
            result.events.bytesMax = events.byteCount(
                "size_max", in: (1 << 20)...(1 << 42), default: result.events.bytesMax)
            result.events.poll = events.duration("poll", in: 0 ... .hours(24), default: result.events.poll)
            result.events.hooks = events.list("hooks") { value in
                guard let name = value.string() else { return nil }
                if name.utf8.count > 128
                    || !name.utf8.allSatisfy({ ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == 45 })
                {
                    value.report("a hook is named in letters, digits and hyphens")
                }
                return name
            }
        }
    }

    mutating func readBatches(_ map: DocumentMapping) {
        section(map, "batches") { batches in
            var limits = result.batches.limits
            limits.bytesMax = batches.byteCount("size_max", in: 1_024...(1 << 32), default: limits.bytesMax)
            limits.diskBytesMax = batches.byteCount("disk_max", in: (1 << 20)...(1 << 42), default: limits.diskBytesMax)
            limits.openPerCallerMax = batches.int(
                "open_per_caller", in: 1...1_000, default: limits.openPerCallerMax)
            result.batches.limits = limits
            result.batches.retention = batches.duration(
                "retention", in: .minutes(1) ... .hours(24 * 366), default: result.batches.retention)
        }
    }

    mutating func readLedger(_ map: DocumentMapping) {
        section(map, "ledger") { ledger in
            result.ledger.file = ledger.string("file")
            result.ledger.retention = ledger.duration(
                "retention", in: .minutes(1) ... .hours(24 * 366), default: result.ledger.retention)
            result.ledger.settleLimit = ledger.duration(
                "settle_limit", in: .minutes(3) ... .hours(24 * 7), default: result.ledger.settleLimit)
        }
        if result.odoo.callRunsMax >= result.ledger.settleLimit {
            // Else a call that was lost would be handed to a person before it can be known to be lost.
            map.optional("odoo")?.report("'call_runs_max' must be shorter than 'ledger.settle_limit'")
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
