// swift-tools-version: 6.1
import PackageDescription

// The rooms and who may import whom are explained in docs/ARCHITECTURE.md. Imports point strictly down; a Tidy test
// (Tests/TidyTests) keeps it so.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    // Functions that return a `Span` into a buffer say how long it lives.
    .enableExperimentalFeature("Lifetimes"),
    // Checks of exclusive access at run time cost 10,300 of 31,700 instructions per proxied request (callgrind). Debug
    // builds, in which all tests run, and the fuzz targets keep them; the compiler's own checks are always on.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "millgate",
    products: [.executable(name: "millgate", targets: ["millgate"])],
    dependencies: [
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C: the system libraries, and shims for what Swift cannot import.
        .target(
            name: "CSystem",
            linkerSettings: [
                .linkedLibrary("ssl"), .linkedLibrary("crypto"), .linkedLibrary("jwt"), .linkedLibrary("sqlite3"),
                .linkedLibrary("nghttp2"), .linkedLibrary("curl"),
            ]),

        // Floor 0, pure.
        room("Bytes", []),

        // Floor 1, pure.
        room("JSON", ["Bytes"]),
        room("HTTP", ["Bytes", "CSystem"]),
        room("Limits", ["Bytes"]),
        room("Telemetry", ["Bytes"]),
        room("Documents", ["Bytes", yams]),
        room("Patterns", []),

        // Floor 2, pure.
        room("Identity", ["Bytes", "JSON", "CSystem"]),
        room("Expressions", ["Bytes", "JSON", "Documents", "Patterns"]),
        room("Contracts", ["Bytes", "JSON", "HTTP", "Documents", "Patterns"]),
        room("Audit", ["Bytes", "JSON", "CSystem"]),
        room("Odoo", ["Bytes", "JSON", "HTTP"]),

        // Floor 3, pure.
        room("Policy", ["Bytes", "JSON", "Documents", "Identity", "Contracts", "Expressions"]),
        room("Events", ["Bytes", "JSON", "Documents", "Contracts"]),

        // Floor 4, pure.
        room("PolicyTools", ["Bytes", "JSON", "Documents", "Identity", "Contracts", "Expressions", "Policy"]),

        // Floor 4, pure.
        room("Webhooks", ["Bytes", "JSON", "Documents", "Events", "Expressions", "CSystem"]),

        // Floor 5, the world.
        room("Reactor", ["Bytes", "CSystem"]),
        room("Store", ["Bytes", "JSON", "CSystem", "Audit", "Identity", "Events", "Webhooks"]),

        // Floor 6.
        room("Server", ["Bytes", "Reactor", "HTTP", "Telemetry"]),
        room("Fetch", ["Bytes", "Reactor", "CSystem"]),
        room("Upstream", ["Bytes", "Reactor", "HTTP", "Limits", "Telemetry", "JSON", "Odoo"]),

        // Floor 7.
        room(
            "Services",
            [
                "Bytes", "JSON", "Upstream", "Store", "Odoo", "Limits", "Policy", "Contracts", "Telemetry", "Identity",
                "Reactor", "Events",
            ]),
        room("Delivery", ["Bytes", "JSON", "Reactor", "Fetch", "Store", "Webhooks", "Events", "Policy"]),

        // Floor 8.
        room(
            "Gateway",
            [
                "Bytes", "JSON", "HTTP", "Limits", "Telemetry", "Documents", "Identity", "Contracts", "Audit", "Odoo",
                "Policy", "Reactor", "Store", "Server", "Fetch", "Upstream", "Services", "Events", "Webhooks",
                "Delivery", logging,
            ]),
        room("OdooSandbox", ["Bytes", "JSON", "HTTP", "Reactor", "Server"]),
        room(
            "Trials",
            ["Bytes", "JSON", "Documents", "Contracts", "Odoo", "Policy", "Store", "Services", "Limits"]),

        // Floor 9.
        .executableTarget(
            name: "millgate",
            dependencies: [
                "Gateway", "OdooSandbox", "Trials", "Identity", "Audit", "Store", "Policy", "PolicyTools", "Contracts",
                "Documents", "JSON", "Bytes", "Events", "Webhooks", "Reactor", "Fetch", "Upstream", "Services", "Odoo",
                "CSystem", logging, arguments,
            ],
            swiftSettings: settings),

        .target(name: "Seeded", path: "Tests/Seeded", swiftSettings: settings),
        tests("Bytes", ["Bytes", "Seeded"]),
        tests("JSON", ["JSON", "Bytes", "Seeded"]),
        tests("HTTP", ["HTTP", "Bytes", "Seeded"]),
        .target(name: "Wire", path: "Tests/Wire", swiftSettings: settings),
        tests("HTTP2", ["HTTP", "Server", "Reactor", "Bytes", "CSystem", "Wire"]),
        tests("Limits", ["Limits", "Bytes", "Seeded"]),
        tests("Telemetry", ["Telemetry", "Bytes", "Seeded"]),
        tests("Documents", ["Documents", "Bytes"]),
        tests("Patterns", ["Patterns"]),
        tests("Expressions", ["Expressions", "JSON", "Bytes"]),
        tests("Identity", ["Identity", "JSON", "Bytes", "CSystem", "Seeded"]),
        tests("Contracts", ["Contracts", "JSON", "Documents", "Bytes", "Reactor"]),
        tests("Audit", ["Audit", "JSON", "Bytes", "Seeded"]),
        tests("Odoo", ["Odoo", "JSON", "Bytes", "Seeded"]),
        tests("Policy", ["Policy", "Identity", "Documents", "Contracts", "JSON", "Bytes"]),
        tests("Events", ["Events", "Contracts", "Documents", "JSON", "Bytes"]),
        tests(
            "PolicyTools", ["PolicyTools", "Policy", "Identity", "Documents", "Contracts", "JSON", "Bytes"]),
        tests("Webhooks", ["Webhooks", "Events", "Documents", "JSON", "Bytes"]),
        tests("Reactor", ["Reactor", "Bytes", "CSystem"]),
        tests("Store", ["Store", "Audit", "Identity", "Events", "Webhooks", "JSON", "Bytes"]),
        tests("Server", ["Server", "Reactor", "HTTP", "Bytes", "Wire"]),
        tests("Fetch", ["Fetch", "Reactor", "Bytes"]),
        tests("Delivery", ["Delivery", "Fetch", "Store", "Webhooks", "Events", "Policy", "Reactor", "JSON", "Bytes"]),
        tests("Upstream", ["Upstream", "Reactor", "HTTP", "Odoo", "JSON", "Limits", "Bytes"]),
        tests(
            "Services",
            [
                "Services", "OdooSandbox", "Odoo", "Store", "Audit", "Policy", "Limits", "Contracts", "Events", "JSON",
                "Bytes",
            ]),
        tests("Gateway", ["Gateway", "Documents", "Identity", "Policy", "Odoo", "Upstream", "Bytes", "JSON"]),
        tests("OdooSandbox", ["OdooSandbox", "Odoo", "JSON", "Bytes"]),
        .target(
            name: "Simulation", dependencies: ["Bytes", "Reactor", "Seeded"], path: "Tests/Simulation",
            swiftSettings: settings),
        tests(
            "Simulation",
            [
                "Simulation", "Gateway", "Server", "Upstream", "Services", "Store", "Audit", "Odoo", "Limits", "HTTP",
                "Reactor", "Bytes", "CSystem", "Wire", "Seeded", logging,
            ]),
        tests("Tidy", []),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Audit", "Store", "JSON", "Bytes", "Reactor", "millgate"],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
