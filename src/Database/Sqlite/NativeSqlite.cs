using System.Runtime.InteropServices;
using Dapper;

namespace Zaffre.Database;

/// <summary>Binds the provider to the system's SQLite library; the one inside the package is old and not shipped.</summary>
internal static class NativeSqlite
{
    private static readonly string[] Names = OperatingSystem.IsMacOS()
        ? ["libsqlite3.dylib", "/usr/lib/libsqlite3.dylib"]
        : ["libsqlite3.so.0", "libsqlite3.so"];

    private static readonly Lazy<bool> Loaded = new(() =>
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, (name, _, _) =>
        {
            if (name != "e_sqlite3")
            {
                return IntPtr.Zero;
            }

            foreach (var candidate in Names)
            {
                if (NativeLibrary.TryLoad(candidate, out var handle))
                {
                    return handle;
                }
            }

            throw new DllNotFoundException("SQLite is not installed. On Debian: apt-get install libsqlite3-0");
        });
        SQLitePCL.Batteries_V2.Init();
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        return true;
    });

    public static void Load() => _ = Loaded.Value;
}
