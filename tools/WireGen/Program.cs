using Zaffre.WireGen;

if (args.Length != 2)
{
    await Console.Error.WriteLineAsync("usage: WireGen SPEC OUTPUT   (WireGen spec/arm-models.json src/Wire/Generated)");
    return 2;
}

var files = WireGenerator.Generate(ModelSpec.Parse(await File.ReadAllTextAsync(args[0])));
Directory.CreateDirectory(args[1]);
foreach (var stale in Directory.EnumerateFiles(args[1], "*.g.cs").Where(path => !files.ContainsKey(Path.GetFileName(path))))
{
    File.Delete(stale);
}

foreach (var (name, text) in files)
{
    await File.WriteAllTextAsync(Path.Combine(args[1], name), text);
}

Console.WriteLine($"{files.Count} files, {files.Values.Sum(text => text.Length / 1024)} KB");
return 0;
