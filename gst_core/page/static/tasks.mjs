// A worker whose answers can be awaited.

export class Tasks {
  #worker;
  #waiting = new Map();
  #id = 0;

  constructor(file) {
    this.#worker = new Worker(new URL(file, import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data: { id, result, error } }) => {
      const [resolve, reject] = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    this.#worker.addEventListener("error", (event) => {
      for (const [, reject] of this.#waiting.values())
        reject(new Error(event.message || `${file} cannot be loaded`));
      this.#waiting.clear();
    });
  }

  /** Have a task done; arrays in `transfer` are handed over. */
  ask(task, given = {}, transfer = []) {
    return new Promise((resolve, reject) => {
      const id = this.#id++;
      this.#waiting.set(id, [resolve, reject]);
      this.#worker.postMessage({ id, task, ...given }, transfer);
    });
  }
}
