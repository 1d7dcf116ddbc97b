import CSystem
import Glibc

/// The process as a whole: which program it runs, and how another takes its place.
public enum ProcessCalls {
    /// Path of the program that runs, as it was when it began: a link that says where the file was, also after another
    /// has been put in its place. To be asked for at the start.
    public static var programPath: String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Puts another program in this one's place: the process id stays, all threads but this end, and descriptors that
    /// are not marked close-on-exec stay open. Returns only when it fails, with errno.
    public static func replace(program: String, arguments: [String], environment: [String: String]) -> Int32 {
        return withPointers(arguments) { argv in
            withPointers(environment.map { "\($0.key)=\($0.value)" }) { envp in csystem_exec(program, argv, envp) }
        }
    }

    /// This process's environment.
    static var environment: [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return variables
    }

    /// Texts as C's `argv` and `envp` want them: an array of pointers with a null at its end.
    static func withPointers<R>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            // An array of at least one element, the nil at its end.
            buffer.baseAddress.map { body(UnsafePointer($0)) } ?? body([nil])
        }
    }

    /// OpenSSL frees its state in a handler of `exit`, beside threads that may still use it; the kernel frees it better.
    /// To be called before anything else of OpenSSL.
    public static func keepLibrariesAtExit() { OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) }

    /// Takes a variable out of this process's environment.
    public static func takeEnvironment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        unsetenv(name)
        return text
    }
}
